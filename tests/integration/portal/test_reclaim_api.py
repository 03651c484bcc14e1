"""The reclaim list on the real engine: who is found, what that rests on, pages, filter, CSV, and stale facts."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.times import format_time
from tests.support.portal_world import START, Facts, World, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

GATEWAY = "sbc1.acme.example"
DIRECT: dict[str, Any] = {"number": "+15550100", "number_type": "directRouting"}


def _subjects(now: datetime) -> dict[str, Facts]:
    def named(name: str, *, enabled: bool = True) -> dict[str, Any]:
        principal = f"{name.lower()}@acme.example"
        return {"display_name": name, "user_principal_name": principal, "account_enabled": enabled}

    old, young = format_time(now - timedelta(days=91)), format_time(now - timedelta(days=89))
    return {
        "user:a-fine": {"directory": named("Fine"), "phone_number": DIRECT, "subscription": {"teams_phone": True}},
        "user:b-off": {"directory": named("Off", enabled=False), "phone_number": DIRECT},
        "user:c-gone": {"phone_number": DIRECT},
        "user:d-old": {"directory": named("Old"), "interface": {"change": "caller id", "changed_at": old}},
        "user:e-young": {"directory": named("Young"), "interface": {"changed_at": young}},
        "user:f-both": {"directory": named("Both"), "phone_number": DIRECT, "lifecycle": {"groups": ["g"]}},
        "user:g-bare": {"directory": named("Bare"), "phone_number": DIRECT, "subscription": {"teams_phone": False}},
        "user:h-deleted": {"directory": named("Deleted") | {"deleted": True}, "phone_number": DIRECT},
        "user:i-cleared": {"directory": None, "phone_number": DIRECT},
        "number:+15550190": {"dial_plan": {"number": "+15550190", "tag": "sbc1.acme.exmple", "name": "Lobby"}},
        "number:+15550191": {"dial_plan": {"number": "+15550191", "tag": "fax", "name": "Fax"}},
    }


async def _tell(world: World, tenant: str, **count: Any) -> None:
    await world.set(tenant, START, acquired_licenses=20, gateways=[GATEWAY])
    world.observe_all(tenant, START + timedelta(hours=1), _subjects(world.services.clock()))
    await world.publish(tenant, START + timedelta(hours=2), **count)


async def _get(world: World, tenant: str, **query: Any) -> Any:
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/reclaim", params=query)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def test_every_reason_is_found_with_the_facts_it_rests_on(world: World, tenant: str) -> None:
    await _tell(world, tenant)
    found = await _get(world, tenant)
    assert {
        ("number:+15550190", "near_miss_tag", 1),
        ("user:b-off", "disabled_account", 1),
        ("user:c-gone", "not_in_directory", 1),
        ("user:d-old", "old_hand_change", 1),
        ("user:f-both", "two_reasons", 0),
        ("user:g-bare", "no_teams_phone", 1),
    } == {(item["subject"], item["reason"], item["saving"]) for item in found["items"]}
    assert (6, 6, 5) == tuple(found["totals"][key] for key in ("items", "subjects", "seats"))
    off = next(item for item in found["items"] if item["subject"] == "user:b-off")
    assert ("Off", "off@acme.example", "direct_routing") == (
        off["display_name"], off["user_principal_name"], off["factor"],
    )  # fmt: skip
    assert {"directory"} == off["facts"].keys()
    assert off["facts"]["directory"]["facts"]["account_enabled"] is False
    assert format_time(START + timedelta(hours=1)) == off["facts"]["directory"]["observed_at"]
    assert GATEWAY in next(item for item in found["items"] if item["reason"] == "near_miss_tag")["explanation"]


async def test_the_age_of_a_change_by_hand_can_be_chosen(world: World, tenant: str) -> None:
    await _tell(world, tenant)
    found = await _get(world, tenant, reason="old_hand_change", older_than_days=30)
    assert ["user:d-old", "user:e-young"] == [item["subject"] for item in found["items"]]


async def test_pages_and_csv_hold_every_item_once(world: World, tenant: str) -> None:
    await _tell(world, tenant)
    whole = await _get(world, tenant)
    paged: list[Any] = []
    cursor = None
    while True:
        page = await _get(world, tenant, limit=4, **({"cursor": cursor} if cursor else {}))
        paged += page["items"]
        assert whole["totals"] == page["totals"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert whole["items"] == paged
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/reclaim", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(item["subject"], item["reason"]) for item in paged] == [(row["subject"], row["reason"]) for row in rows]


async def test_facts_that_were_not_confirmed_for_long_are_said_to_be_stale(world: World, tenant: str) -> None:
    now = world.services.clock()
    fresh = {"directory": now - timedelta(days=2), "subscription": now - timedelta(minutes=1)}
    await _tell(world, tenant, freshness=fresh)
    await _live_freshness(world, tenant)
    found = await _get(world, tenant)
    assert ["directory"] == found["stale_facets"]
    stale = {item["reason"]: item["stale"] for item in found["items"]}
    assert (True, False) == (stale["disabled_account"], stale["no_teams_phone"])


async def _live_freshness(world: World, tenant: str) -> None:
    def heard() -> bool:
        count = world.services.live.count(tenant)
        return count is not None and bool(count.freshness)

    await until(heard)
