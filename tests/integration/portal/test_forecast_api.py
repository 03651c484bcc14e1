"""When the pool runs out, by API and command line, from a history on record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runtime.cli.client import Api
from tests.support.command_line import run_cli
from tests.support.portal_world import World, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

POOL = 500
WEEKS = 11


async def grow(world: World, tenant: str, a_week: int, start: int = 400) -> None:
    """Put counts on record that grow each Monday, up to now."""
    now = datetime.now(UTC).replace(microsecond=0)
    monday = (now - timedelta(days=now.weekday())).replace(hour=9, minute=0, second=0)
    for week in range(WEEKS, -1, -1):
        at = min(monday - timedelta(weeks=week), now)
        licensed = start + a_week * (WEEKS - week)
        count = await world.publish(tenant, at, currently_licensed=licensed, acquired_licenses=POOL)
    await until(lambda: world.services.live.count(tenant) == count)


async def foreseen(world: World, tenant: str) -> dict[str, Any]:
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/forecast")
    assert 200 == answer.status_code
    found: dict[str, Any] = answer.json()
    return found


async def test_a_growing_tenant_is_told_when_its_pool_runs_out(world: World, tenant: str) -> None:
    await grow(world, tenant, a_week=7, start=400)
    found = await foreseen(world, tenant)
    assert ("runs_out", POOL, 477) == (found["status"], found["acquired_licenses"], found["currently_licensed"])
    assert 6.0 < found["trend_per_week"] < 7.5
    assert 14 <= found["days"] <= 35  # 24 licences at 7 each Monday
    assert found["interval"]["from"] <= found["exhausted_at"] <= found["interval"]["to"]
    assert 90 == len(found["curve"])
    assert 70 <= found["based_on"]["days"] <= 85
    assert found["explanation"][0].startswith("The pool of 500 is expected to run out on ")


async def test_a_new_tenant_is_told_what_is_missing(world: World, tenant: str) -> None:
    await world.publish(tenant, datetime.now(UTC) - timedelta(days=3))
    await world.set(tenant, datetime.now(UTC), acquired_licenses=POOL)
    found = await foreseen(world, tenant)
    assert ("no_pool", [], None) == (found["status"], found["curve"], found["days"])
    assert "21 whole days of history are needed and 3 are there" in found["explanation"][1]


async def test_the_command_says_it_in_words_and_figures(
    world: World, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grow(world, tenant, a_week=7)
    answer = await foreseen(world, tenant)
    monkeypatch.setattr(Api, "get", lambda *_, **__: answer)
    said = run_cli("forecast", tenant)
    assert 0 == said.code, said.err
    lines = said.out.splitlines()
    assert answer["explanation"] == lines[: len(answer["explanation"])]
    assert "80 %; based on" in lines[-1]
    assert [str(ahead) for ahead in (7, 14, 30, 60, 90)] == [line.split()[1] for line in lines[-6:-1]]
