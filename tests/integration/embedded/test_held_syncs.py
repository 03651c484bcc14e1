"""A sync that is held stays held over a restart, and the count keeps its hint."""

from pathlib import Path

from tests.support.embedded_stack import EmbeddedStack
from tests.support.waiting import eventually

HEAD = "Object Id,Licenses\n"
MANY, FEW = 60, 10


def test_a_held_sync_is_hinted_at_after_a_restart_until_it_is_confirmed(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path / "data")
    try:
        stack.start()
        imported(stack, tmp_path / "many.csv", MANY, "2026-11-01T00:00:00Z")
        imported(stack, tmp_path / "few.csv", FEW, "2026-11-02T00:00:00Z")
        eventually(lambda: "sync_held" in stack.count("acme")["hints"], 20)
        held = eventually(lambda: held_of_both_facets(stack), 20)  # the sink stores a little later than counts are told
        assert stack.interrupt() == 0
        stack.start()
        # a new count, for the one that was put back has the hint of before
        stack.done("tenant", "set", "acme", "--pool", "7")
        eventually(lambda: stack.count("acme")["acquired_licenses"] == 7, 20)
        eventually(lambda: "sync_held" in stack.count("acme")["hints"], 20)
        for run in held:
            stack.done("sync", "confirm", "acme", run)
        eventually(lambda: "sync_held" not in stack.count("acme")["hints"], 20)
        assert stack.interrupt() == 0
        stack.start()
        stack.done("tenant", "set", "acme", "--pool", "8")
        eventually(lambda: stack.count("acme")["acquired_licenses"] == 8, 20)
        assert "sync_held" not in stack.count("acme")["hints"]
    finally:
        stack.close()


def held_of_both_facets(stack: EmbeddedStack) -> list[str]:
    runs = stack.get("/tenants/acme/syncs")["items"]
    held = [run["id"] for run in runs if run["status"] == "held"]
    return held if len(held) == 2 else []


def imported(stack: EmbeddedStack, path: Path, users: int, at: str) -> None:
    path.write_text(HEAD + "".join(f"u{number},Office 365 E3\n" for number in range(users)))
    stack.done("import", "m365", str(path), "-T", "acme", "--observed-at", at)
