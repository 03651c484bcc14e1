"""A what-if over the REST API is what really comes of the settings, on the facts that ClickHouse holds."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.count import Count
from tests.support.portal_world import START, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOUR = timedelta(hours=1)
DIRECT: dict[str, Any] = {"number": "+15550100", "number_type": "directRouting"}
NEAR, FAR = {"gateway": "sbc1.acme.example"}, {"gateway": "sbc9.elsewhere.example"}
HELD = {"held_by_user": True}
FIGURES = {
    "acquired_licenses", "currently_licensed", "available_licenses", "usage_percent", "user_licenses",
    "dr_phone_licenses", "factors", "profiles",
}  # fmt: skip


async def story(world: World, tenant: str, **settings: Any) -> Count:
    """Ana: Direct Routing near; Ben: far, and by template; Cleo: far, deleted; Dan: near, voice off; two numbers."""
    await world.set(tenant, START, **({"acquired_licenses": 10, "gateways": ["sbc1.acme.example"]} | settings))
    for name, voice in (("ana", NEAR), ("ben", FAR), ("cleo", FAR), ("dan", NEAR | {"enterprise_voice": False})):
        directory = {"display_name": name.title(), "deleted": name == "cleo"}
        world.observe(tenant, f"user:{name}", START + HOUR, directory=directory, phone_number=DIRECT, voice=voice)
    world.observe(tenant, "user:ben", START + HOUR, lifecycle={"groups": ["template"]})
    world.observe(tenant, "number:+15550190", START + HOUR, dial_plan={"tag": "fax"})
    world.observe(tenant, "number:+15550191", START + HOUR, dial_plan={"tag": "dr-7"})
    for number, tag in enumerate(("", None)):
        world.observe(tenant, f"number:90{number}", START + HOUR, dial_plan={"tag": tag}, service_number=HELD)
    return await world.publish(tenant, START + HOUR)


async def tried(world: World, tenant: str, **body: Any) -> Any:
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/what-if", json=body)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def figures(count: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in count.items() if name in FIGURES}


def moves(found: dict[str, Any]) -> list[tuple[str, str, str | None, str | None, str]]:
    return [
        (kind, item["subject"], item["from_factor"], item["to_factor"], item["cause"])
        for kind in ("gained", "lost", "moved")
        for item in found[kind]
    ]


async def test_nothing_tried_is_the_count_that_is(world: World, tenant: str) -> None:
    count = await story(world, tenant)
    found = await tried(world, tenant)
    assert count.model_dump(mode="json") == found["now"]
    assert found["now"] == found["then"] | {"computed_at": found["now"]["computed_at"]}
    assert ([], {"gained": 0, "lost": 0, "moved": 0}) == (moves(found), found["totals"])


async def test_a_factor_off_lets_its_subjects_fall_through_or_go(world: World, tenant: str) -> None:
    await story(world, tenant)
    found = await tried(world, tenant, factors={"lifecycle": False}, acquired_licenses=20)
    assert [("lost", "user:ben", "lifecycle", None, "settings")] == moves(found)
    assert {"gained": 0, "lost": 1, "moved": 0} == found["totals"]
    assert "Ben" == found["lost"][0]["display_name"]
    assert (4, 6, 3, 17) == (
        found["now"]["currently_licensed"], found["now"]["available_licenses"],
        found["then"]["currently_licensed"], found["then"]["available_licenses"],
    )  # fmt: skip
    assert {"kind": "rules", "subjects_gained": 0, "subjects_lost": 1, "example": None} == found["then"]["cause"]


CHANGES: list[dict[str, Any]] = [
    {"criteria": {"licensed_users_by_gateway": "elsewhere"}},
    {"criteria": {"dr_numbers": "^dr-", "reject_service_numbers": "x$"}},
    {"criteria": {"licensed_users_by_gateway": "(?i)ELSEWHERE|sbc1"}, "factors": {"lifecycle": False}},
    {"gateways": []},
    {"gateways": ["sbc9.elsewhere.example"], "service_type": "oc_pro"},
    {"acquired_licenses": None, "service_type": "hosted_essentials"},
]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_tried_is_what_comes_of_it(world: World, tenant: str, change: dict[str, Any]) -> None:
    await story(world, tenant)
    found = await tried(world, tenant, **change)
    before = {item["subject"]: item["factor"] for item in await seats(world, tenant)}
    body = {"acquired_licenses": 10, "gateways": ["sbc1.acme.example"]} | change
    await world.set(tenant, START + 2 * HOUR, **body)
    world.reevaluate(tenant, START + 2 * HOUR)
    hints = found["then"]["hints"]
    assert (body["gateways"] == [], body["acquired_licenses"] is None) == ("no_gateways" in hints, "no_pool" in hints)
    after = {item["subject"]: item["factor"] for item in await seats(world, tenant)}
    assert sorted((name, before[name], after[name]) for name in before if before[name] != after[name]) == sorted(
        (subject, was, will) for _, subject, was, will, _ in moves(found)
    )
    real = (await world.publish(tenant, START + 2 * HOUR)).model_dump(mode="json")
    assert figures(real) == figures(found["then"])


async def seats(world: World, tenant: str) -> Any:
    return (await world.http.get(f"/api/v1/tenants/{tenant}/seats", params={"factor": "all"})).json()["items"]


async def test_null_is_the_default(world: World, tenant: str) -> None:
    await story(world, tenant, criteria={"licensed_users_by_gateway": "elsewhere"}, factors={"lifecycle": False})
    found = await tried(world, tenant, criteria=None, factors={"lifecycle": None})
    assert [
        ("gained", "user:ana", None, "direct_routing", "rules"),
        ("moved", "user:ben", "direct_routing", "lifecycle", "rules"),
    ] == moves(found)


async def test_each_criterion_shows_what_it_hits_now_and_then(world: World, tenant: str) -> None:
    await story(world, tenant)
    found = await tried(world, tenant, criteria={"reject_service_numbers": "^fax$"})
    assert {
        "licensed_users_by_gateway": [
            {"value": "sbc1.acme.example", "subjects": 2, "now": True, "then": True},
            {"value": "sbc9.elsewhere.example", "subjects": 2, "now": False, "then": False},
        ],
        "dr_numbers": [
            {"value": "dr-7", "subjects": 1, "now": False, "then": False},
            {"value": "fax", "subjects": 1, "now": False, "then": False},
        ],
        "reject_service_numbers": [
            {"value": "dr-7", "subjects": 1, "now": None, "then": False},
            {"value": "fax", "subjects": 1, "now": None, "then": True},
        ],
    } == found["criteria_hits"]
    assert [("lost", "number:+15550190", "service_number", None, "rules")] == moves(found)


@pytest.mark.parametrize("tag", ['a"b', "a\\b", "a'b", "tab\tnew\nline", "é日😀", "{tag}", "%s", "null", "\x01"])
async def test_a_value_may_hold_anything(world: World, tenant: str, tag: str) -> None:
    await world.set(tenant, START)
    world.observe(tenant, "number:1", START, dial_plan={"tag": tag})
    await world.publish(tenant, START)
    found = await tried(world, tenant, criteria={"reject_service_numbers": "(?s).", "dr_numbers": "never"})
    assert [(tag, True)] == [(hit["value"], hit["then"]) for hit in found["criteria_hits"]["reject_service_numbers"]]
    assert ["number:1"] == [item["subject"] for item in found["lost"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"criteria": {"dr_numbers": "(?=a)"}}, "RE2"),
        ({"criteria": {"nonsense": "a"}}, "criteria.nonsense: no such setting"),
        ({"factors": {"direct_routing": False}}, "direct_routing cannot be switched"),
        ({"display_name": "Acme"}, "display_name: nothing that a what-if tries"),
        ({"revision": 3}, "revision: nothing that a what-if tries"),
        ({"acquired_licenses": "5"}, "acquired_licenses"),
        ([], "a what-if is a JSON object"),
    ],
)
async def test_what_cannot_be_tried_is_told(world: World, tenant: str, body: Any, said: str) -> None:
    await story(world, tenant)
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/what-if", json=body)
    assert (422, True) == (answer.status_code, said in answer.json()["detail"]), answer.text


async def test_a_tenant_never_heard_of_has_no_what_if(world: World, tenant: str) -> None:
    assert 404 == (await world.http.post(f"/api/v1/tenants/{tenant}/what-if", json={})).status_code
