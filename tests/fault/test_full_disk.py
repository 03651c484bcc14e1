"""The disk of a running stack fills up: it says so, confirms nothing that is not stored, and loses nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from runtime.embedded.stack import MIN_FREE_BYTES
from tests.support.embedded_stack import EmbeddedStack, small_disk
from tests.support.waiting import eventually

SIZE_BYTES = MIN_FREE_BYTES + 80 * 2**20
ROOM_BYTES = 64 * 1024


def event(subject: str) -> dict[str, Any]:
    return {
        "type": "interface", "tenant": "acme", "subject": subject, "observed_at": "2026-11-24T08:00:00Z", "facts": {}
    }  # fmt: skip


def fill(path: Path) -> None:
    """Write until there is no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(ROOM_BYTES)) == ROOM_BYTES:
                pass
        except OSError:
            return


def test_a_full_disk_is_told_and_what_was_sent_is_stored_when_there_is_space_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", f"size={SIZE_BYTES}") as disk:
        stack = EmbeddedStack(disk / "data")
        stack.out_path = tmp_path / "up.out"
        try:
            stack.start()
            assert stack.post_events(event("user:1")).status_code == 202
            fill(disk / "filling")
            eventually(lambda: "MiB left: free some space" in stack.out)
            with ThreadPoolExecutor() as threads:
                waiting = threads.submit(stack.post_events, event("user:2"))
                eventually(lambda: stack.count("acme")["currently_licensed"] == 2)
                assert [item["subject"] for item in stack.get("/tenants/acme/seats")["items"]] == ["user:1"]
                assert not waiting.done(), "counted, and not stored: not confirmed"
                (disk / "filling").unlink()
                assert waiting.result().status_code == 202
            eventually(lambda: "has space again" in stack.out)
            assert stack.count("acme")["currently_licensed"] == 2
            assert stack.cli("audit", "acme").code == 0
            assert stack.interrupt() == 0
        finally:
            stack.close()
