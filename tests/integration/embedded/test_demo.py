"""`poolwatch up --demo`, stopped and started again: the acceptance of the issue in one life of a data directory."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.embedded_stack import EmbeddedStack, children_of, is_alive, running_stack
from tests.support.waiting import eventually

FACTORS = [200, 100, 0, 50, 20]
LIVE = "fabrikam"
OVER = "wingtip"
"""A demo tenant that uses more than it bought."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("up") / "data", demo=True) as stack:
        yield stack


def assert_is_the_vendors_example(stack: EmbeddedStack) -> dict[str, Any]:
    count: dict[str, Any] = json.loads(stack.done("count", "contoso", "--json"))
    figures = [count[name] for name in ("currently_licensed", "acquired_licenses", "available_licenses")]
    assert [370, 500, 130] == figures
    assert FACTORS == [row["counted"] for row in count["factors"]]
    return count


def year(stack: EmbeddedStack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack.done("history", "contoso", "--from", "365d", "--step", "1d", "--json"))
    return found


def test_it_says_where_it_answers_and_what_is_counted(stack: EmbeddedStack) -> None:
    lines = stack.out.splitlines()
    assert [line.split()[:4] for line in lines if "contoso" in line] == [["contoso", "370", "500", "130"]]
    assert len([line for line in lines if line.endswith("-")]) == 12, "contoso and eleven that live"
    assert lines[-1].startswith(f"Poolwatch answers at {stack.url} ")
    assert_is_the_vendors_example(stack)


def test_a_year_of_history_says_that_it_is_demo_data(stack: EmbeddedStack) -> None:
    history = year(stack)
    assert len(history["points"]) >= 365
    days = {point["at"] for point in history["points"]}
    assert history["demo_until"] in days
    assert "made-up demo data" in stack.done("history", "contoso", "--from", "30d")
    assert ",true\n" in stack.done("history", "contoso", "--from", "30d", "--format", "csv").replace("\r", "")


def lowest(stack: EmbeddedStack, tenant: str, start: datetime) -> int:
    points = stack.get(f"/tenants/{tenant}/licenses/history", **{"from": start.isoformat(), "step": "1m"})["points"]
    return min(int(point["currently_licensed"]["min"]) for point in points)


def test_the_start_shows_no_dip(stack: EmbeddedStack) -> None:
    start = datetime.fromisoformat(stack.count("contoso")["computed_at"]) - timedelta(minutes=5)

    def has_lived() -> bool:
        return bool(stack.count(LIVE)["version"] > 1)

    eventually(has_lived, 30)
    assert lowest(stack, "contoso", start) == 370
    assert lowest(stack, LIVE, start) > 400


def test_audits_agree(stack: EmbeddedStack) -> None:
    def agrees() -> bool:  # a live tenant may change between the reading of facts and of the count
        return stack.cli("audit", LIVE).code == 0

    assert "no difference" in stack.done("audit", "contoso")
    eventually(agrees, 30)


def alerts_of(stack: EmbeddedStack, tenant: str) -> list[str]:
    """Return the ids of all changes of a tenant's alerts."""
    return [item["id"] for item in stack.get(f"/tenants/{tenant}/alerts", state="all")["items"]]


def test_stopped_and_started_again_all_is_as_it_was(stack: EmbeddedStack) -> None:
    stack.done("provider", "set", "--dwell", "0")
    alerts = eventually(lambda: alerts_of(stack, OVER))
    before, history = assert_is_the_vendors_example(stack), year(stack)
    changes = stack.changes("contoso")
    children = children_of(stack.pid)
    assert len(children) == 3

    assert stack.interrupt() == 0
    assert not [pid for pid in children if is_alive(pid)]

    stack.start()
    after = assert_is_the_vendors_example(stack)
    assert (after["epoch"], after["version"]) >= (before["epoch"], before["version"])
    again = year(stack)
    assert history["points"][1:-1] == again["points"][1:-1]
    assert history["demo_until"] == again["demo_until"]
    assert changes == stack.changes("contoso"), "a start tells no seat changes"
    start = datetime.fromisoformat(before["computed_at"]) - timedelta(minutes=5)
    assert (370, True) == (lowest(stack, "contoso", start), lowest(stack, LIVE, start) > 400)
    test_audits_agree(stack)
    assert alerts == alerts_of(stack, OVER), "a start repeats no alert"


def test_versions_go_on_after_a_start(stack: EmbeddedStack) -> None:
    before = stack.count("contoso")
    stack.done("tenant", "set", "contoso", "--pool", "600")

    def pool_is_600() -> bool:
        return bool(stack.count("contoso")["acquired_licenses"] == 600)

    eventually(pool_is_600)
    after = stack.count("contoso")
    assert after["epoch"] >= before["epoch"]
    assert after["version"] > before["version"]


def test_what_the_demo_begins_with_is_on_record(stack: EmbeddedStack) -> None:
    seats = stack.get("/tenants/contoso/seats", factor="user_interface")["items"]
    assert len(seats) == 50
    subject = seats[0]["subject"]
    assert f"{subject} is counted at user_interface" in stack.done("explain", "contoso", subject)
    assert "demo" in stack.done("settings", "history", "contoso")
