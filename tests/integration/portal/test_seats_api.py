"""Seats, explanations, changes and the audit over the REST API, on the facts that ClickHouse holds."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.times import format_time
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = timedelta(hours=1)
DIRECT: dict[str, Any] = {"number": "+15550100", "number_type": "directRouting"}
OPERATOR: dict[str, Any] = {"number": "+15550101", "number_type": "operatorConnect"}


async def story(world: World, tenant: str) -> None:
    """Ana: Direct Routing, then a template only; Ben: template; a bridge; lifecycle goes off at 4 h."""
    await world.set(tenant, START, acquired_licenses=10)
    names = {"display_name": "Ana Alba", "user_principal_name": "ana@acme.example"}
    world.observe(tenant, "user:ana", START + HOUR, directory=names, phone_number=DIRECT)
    world.observe(tenant, "user:ben", START + HOUR, lifecycle={"groups": ["template"]})
    world.observe(tenant, "number:+15550199", START + HOUR, service_number={"kind": "conference"})
    world.observe(tenant, "user:ana", START + 2 * HOUR, lifecycle={"groups": ["template"]})
    world.observe(tenant, "user:ana", START + 3 * HOUR, phone_number=None)
    await world.set(tenant, START + 4 * HOUR, acquired_licenses=10, factors={"lifecycle": False})
    await world.publish(tenant, START + 4 * HOUR)


async def get(world: World, path: str, **params: Any) -> Any:
    answer = await world.http.get(f"/api/v1/tenants/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_seats_are_who_is_counted_where_and_since_when(world: World, tenant: str) -> None:
    await story(world, tenant)
    now = await get(world, f"{tenant}/seats")
    assert [("number:+15550199", "service_number")] == [(item["subject"], item["factor"]) for item in now["items"]]
    then = await get(world, f"{tenant}/seats", at=format_time(START + 2.5 * HOUR))
    assert then["items"] == [
        {"subject": "number:+15550199", "display_name": None, "user_principal_name": None, "factor": "service_number",
         "matched": ["service_number"], "since": format_time(START + HOUR)},
        {"subject": "user:ana", "display_name": "Ana Alba", "user_principal_name": "ana@acme.example",
         "factor": "direct_routing", "matched": ["direct_routing", "lifecycle"], "since": format_time(START + HOUR)},
        {"subject": "user:ben", "display_name": None, "user_principal_name": None, "factor": "lifecycle",
         "matched": ["lifecycle"], "since": format_time(START + HOUR)},
    ]  # fmt: skip


async def test_seats_not_counted_are_listed_when_asked_for(world: World, tenant: str) -> None:
    await story(world, tenant)
    none = await get(world, f"{tenant}/seats", factor="none")
    assert ["user:ana", "user:ben"] == [item["subject"] for item in none["items"]]
    assert [format_time(START + 4 * HOUR)] * 2 == [item["since"] for item in none["items"]]
    everyone = await get(world, f"{tenant}/seats", factor="all", search="ALBA")
    assert ["user:ana"] == [item["subject"] for item in everyone["items"]]


async def test_pages_of_seats_follow_each_other(world: World, tenant: str) -> None:
    await story(world, tenant)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(world, f"{tenant}/seats", factor="all", limit=1, **({"cursor": cursor} if cursor else {}))
        found += [item["subject"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == ["number:+15550199", "user:ana", "user:ben"]


async def test_an_explanation_has_facts_decisions_and_what_led_there(world: World, tenant: str) -> None:
    await story(world, tenant)
    now = await get(world, f"{tenant}/seats/user:ana")
    assert (None, format_time(START + 4 * HOUR)) == (now["factor"], now["since"])
    assert now["facts"]["phone_number"]["facts"] is None
    assert now["facts"]["lifecycle"] == {
        "observed_at": format_time(START + 2 * HOUR), "source": "test", "facts": {"groups": ["template"]}
    }  # fmt: skip
    by_factor = {decision["factor"]: decision for decision in now["decisions"]}
    assert "not enabled" in by_factor["lifecycle"]["reason"]
    assert [
        (None, "direct_routing", "gained", "event"),
        ("direct_routing", "lifecycle", "moved", "event"),
        ("lifecycle", None, "lost", "settings"),
    ] == [(item["from_factor"], item["to_factor"], item["kind"], item["cause"]) for item in now["changes"]]


async def test_an_explanation_of_the_past_is_as_recorded_then(world: World, tenant: str) -> None:
    await story(world, tenant)
    then = await get(world, f"{tenant}/seats/user:ana", at=format_time(START + 1.5 * HOUR))
    assert ("direct_routing", format_time(START + HOUR)) == (then["factor"], then["since"])
    assert "lifecycle" not in then["facts"]
    assert len(then["changes"]) == 1
    before = await world.http.get(
        f"/api/v1/tenants/{tenant}/seats/user:ana", params={"at": format_time(START + HOUR / 2)}
    )
    assert (404, True) == (before.status_code, "nothing was known of user:ana" in before.json()["detail"])


async def test_a_subject_of_another_tenant_is_a_stranger(world: World, tenant: str) -> None:
    await story(world, tenant)
    await world.publish(f"{tenant}-other", START)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}-other/seats/user:ana")
    assert answer.status_code == 404
    assert (await get(world, f"{tenant}-other/seats", factor="all"))["items"] == []


@pytest.mark.parametrize("subject", ["ana", "user:ANA", "number:abc", "robot:1"])
async def test_what_is_no_subject_is_told(world: World, tenant: str, subject: str) -> None:
    await world.publish(tenant, START)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/seats/{subject}")
    assert (422, True) == (answer.status_code, "a subject is user:<id> in lower case" in answer.json()["detail"])


async def test_changes_list_subjects_and_settings_in_order(world: World, tenant: str) -> None:
    await story(world, tenant)
    query = {"from": format_time(START - HOUR), "to": format_time(START + 5 * HOUR)}
    items = (await get(world, f"{tenant}/changes", **query))["items"]
    assert [
        ("settings", None, None, None),
        ("gained", "number:+15550199", None, "service_number"),
        ("gained", "user:ana", None, "direct_routing"),
        ("gained", "user:ben", None, "lifecycle"),
        ("moved", "user:ana", "direct_routing", "lifecycle"),
        ("settings", None, None, None),
    ] == [(item["kind"], item["subject"], item["from_factor"], item["to_factor"]) for item in items]
    assert (2, {"lifecycle": -2}, {"gained": 0, "lost": 2, "moved": 0}) == (
        items[-1]["subjects"], items[-1]["factors"], items[-1]["totals"]
    )  # fmt: skip
    paged: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(world, f"{tenant}/changes", limit=2, **query, **({"cursor": cursor} if cursor else {}))
        paged += page["items"]
        cursor = page["next_cursor"]
    assert items == paged


async def test_new_criteria_are_one_item_with_the_number_of_subjects(world: World, tenant: str) -> None:
    await world.set(tenant, START, gateways=["sbc1.acme.example"])
    for number in range(3):
        facets = {"phone_number": DIRECT, "voice": {"gateway": "other.example"}}
        world.observe(tenant, f"user:{number}", START + HOUR, **facets)
    await world.set(
        tenant, START + 2 * HOUR, gateways=["sbc1.acme.example"], criteria={"licensed_users_by_gateway": "other"}
    )
    world.reevaluate(tenant, START + 2 * HOUR + timedelta(seconds=3))
    query = {"from": format_time(START + 1.9 * HOUR), "to": format_time(START + 5 * HOUR)}
    (item,) = (await get(world, f"{tenant}/changes", **query))["items"]
    assert ("settings", 3, {"direct_routing": 3}) == (item["kind"], item["subjects"], item["factors"])


async def test_what_a_revision_moved_late_is_its_own_and_what_it_did_not_move_is_nobodys(
    world: World, tenant: str
) -> None:
    gateways = ["sbc1.acme.example"]
    await world.set(tenant, START, gateways=gateways)
    world.observe(tenant, "user:1", START + HOUR, phone_number=DIRECT,
                  voice={"gateway": "other.example"})  # fmt: skip
    await world.set(tenant, START + 2 * HOUR, gateways=gateways, criteria={"licensed_users_by_gateway": "other"})
    world.reevaluate(tenant, START + 4 * HOUR)  # after the next revision of the provider or tenant was told
    await world.set(tenant, START + 3 * HOUR, gateways=gateways, criteria={"licensed_users_by_gateway": "other"},
                    acquired_licenses=5)  # fmt: skip
    world.plant(tenant, "user:1", START + 5 * HOUR, profile=0)  # under the same rules: a newer version of the program
    query = {"from": format_time(START + 1.9 * HOUR), "to": format_time(START + 6 * HOUR)}
    items = (await get(world, f"{tenant}/changes", **query))["items"]
    assert [("settings", 1, 2), ("settings", 0, 3)] == [
        (item["kind"], item["subjects"], item["revision"]) for item in items[:2]
    ]
    assert [("lost", "user:1", "rules")] == [(item["kind"], item["subject"], item["cause"]) for item in items[2:]]


async def test_the_audit_agrees_and_finds_what_is_planted(world: World, tenant: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("portal.api.seats.AUDIT_PAUSE_S", 0.01)
    await story(world, tenant)
    sound = await get(world, f"{tenant}/audit")
    assert (True, 3, 0) == (sound["agrees"], sound["subjects"], sound["differences_total"])
    settings = world.settings_of(tenant)
    world.plant(tenant, "user:ben", START + 6 * HOUR, profile=1)  # Direct Routing, which no fact of his says
    await world.publish(tenant, START + 6 * HOUR)
    planted = await get(world, f"{tenant}/audit")
    assert (False, 1, settings.revision) == (
        planted["agrees"], planted["differences_total"], planted["settings_revision"]
    )  # fmt: skip
    assert ("user:ben", "direct_routing", None) == tuple(
        planted["differences"][0][key] for key in ("subject", "recorded_factor", "recount_factor")
    )
    assert (2, 1) == (planted["live"]["currently_licensed"], planted["recount"]["currently_licensed"])


async def test_the_audit_names_numbers_that_a_user_holds_as_well(world: World, tenant: str) -> None:
    await world.set(tenant, START)
    world.observe(tenant, "user:op", START + HOUR, phone_number=OPERATOR)
    world.observe(tenant, "number:+15550101", START + HOUR, dial_plan={"number": "+15550101"})
    await world.publish(tenant, START + HOUR)
    assert (await get(world, f"{tenant}/audit"))["numbers_held_by_users"] == ["number:+15550101"]
