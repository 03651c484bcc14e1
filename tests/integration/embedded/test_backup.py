"""A backup of a running stack, put back elsewhere: the same counts, history and explanations."""

import json
from pathlib import Path
from typing import Any

from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.waiting import eventually

ACME = Path("tests") / "data" / "acme"
FIGURES = ("currently_licensed", "user_licenses", "dr_phone_licenses", "factors", "settings_revision", "freshness")


def told(stack: EmbeddedStack) -> dict[str, Any]:
    """Return what people see: figures, history, who is counted and why."""
    seats = stack.get("/tenants/acme/seats", factor="all")["items"]
    history = stack.get("/tenants/acme/licenses/history", **{"from": "2026-11", "to": "2026-11-20", "step": "1d"})
    return {
        "count": {name: stack.count("acme")[name] for name in FIGURES},
        "history": history["points"],
        "seats": seats,
        "why": [stack.get(f"/tenants/acme/seats/{seat['subject']}") for seat in seats[:6]],
        "settings": stack.get("/tenants/acme/settings/changes")["items"],
        "syncs": stack.get("/tenants/acme/syncs")["items"],
    }


def test_a_running_stack_is_backed_up_and_comes_back_elsewhere(tmp_path: Path, repository: Path) -> None:
    with running_stack(tmp_path / "data") as stack:
        stack.done("tenant", "set", "acme", "--pool", "20", "--gateway", "sbc1.acme.example")
        for kind, name in (("users", "users.csv"), ("numbers", "numbers.csv")):
            file = str(repository / ACME / name)
            stack.done("import", kind, file, "-T", "acme", "--observed-at", "2026-11-01T00:00:00Z")
        eventually(lambda: stack.get("/tenants/acme/audit")["agrees"])
        before, version = told(stack), stack.count("acme")["version"]
        made = json.loads(stack.done("backup", str(tmp_path / "backup"), "--json"))
        assert made["tables"]["seat_changes"]["rows"] > 20
        in_use = stack.cli("restore", str(tmp_path / "backup"), "--data", str(stack.data))
        assert (1, True) == (in_use.code, "are in use by process" in in_use.err)
        stack.done("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "other"))
    with running_stack(tmp_path / "other") as other:
        assert before == told(other)
        assert version <= other.count("acme")["version"]
        assert other.get("/tenants/acme/audit")["agrees"]
