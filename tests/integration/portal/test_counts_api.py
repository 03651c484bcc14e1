"""Counts, history and the stream over the REST API."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.count import Count
from schemas.identifiers import partition_of
from schemas.times import format_time
from tests.support.portal_world import PARTITIONS, START, World, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

DIRECT: dict[str, Any] = {"phone_number": {"number": "+15550100", "number_type": "directRouting"}}


async def test_the_count_is_the_one_that_was_published(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=10)
    world.observe(tenant, "user:1", START, **DIRECT)
    published = await world.publish(tenant, START)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/licenses")
    assert json.loads(published.model_dump_json()) == answer.json()
    assert (1, 10, 9) == tuple(
        answer.json()[name] for name in ("currently_licensed", "acquired_licenses", "available_licenses")
    )


async def test_a_tenant_with_settings_and_no_event_counts_nothing(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=5)
    body = (await world.http.get(f"/api/v1/tenants/{tenant}/licenses")).json()
    assert (0, 5, 0.0, 0) == (
        body["currently_licensed"], body["available_licenses"], body["usage_percent"], body["version"]
    )  # fmt: skip
    assert body["hints"] == ["no_gateways"]
    await world.set(tenant, START, acquired_licenses=6, gateways=["sbc.acme.example"])
    changed = (await world.http.get(f"/api/v1/tenants/{tenant}/licenses")).json()
    assert (6, 2, []) == (changed["available_licenses"], changed["settings_revision"], changed["hints"])


async def test_a_tenant_never_heard_of_is_not_found_and_told_how_to_make_one(world: World, tenant: str) -> None:
    for path in ("licenses", "licenses/history", "seats", "changes", "settings", "settings/changes", "audit", "syncs"):
        answer = await world.http.get(f"/api/v1/tenants/{tenant}/{path}")
        assert answer.status_code == 404, path
        assert f"poolwatch tenant set {tenant}" in answer.json()["detail"], path


@pytest.mark.parametrize("name", ["Acme", "_provider", "-a", "a" * 65, "a%20b"])
async def test_what_is_no_tenant_id_is_refused_in_words(world: World, name: str) -> None:
    answer = await world.http.get(f"/api/v1/tenants/{name}/licenses")
    assert answer.status_code == 422
    assert "a tenant id is 1 to 64 of a-z 0-9 . _ -" in answer.json()["detail"]


async def test_a_tenant_with_a_slash_is_told_so(world: World) -> None:
    answer = await world.http.get("/api/v1/tenants/a%2Fb/licenses")
    assert answer.status_code == 404
    assert "has no slash" in answer.json()["detail"]


async def test_of_two_counts_the_higher_epoch_and_version_is_shown(world: World, tenant: str) -> None:
    newest = await world.publish(tenant, START, epoch=3, version=7)
    for epoch, version in ((2, 900), (3, 6)):  # a counter that lost its partition, and a repeat
        await world.publish(tenant, START, epoch=epoch, version=version)
    await world.send("license-counts", tenant, "rubbish")
    marker = await world.publish(f"{tenant}-x", START)
    await until(lambda: world.services.live.count(marker.tenant) == marker)
    await until(lambda: world.services.live.count(tenant) == newest)
    assert world.services.live.count(tenant) == newest


@pytest.mark.parametrize("header", ["{}", "W/{}", '"0.1", {}', "*"])
async def test_a_client_that_has_the_count_gets_it_again_once_it_changes(
    world: World, tenant: str, header: str
) -> None:
    path = f"/api/v1/tenants/{tenant}/licenses"
    first = await world.publish(tenant, START)
    tag = f'"{first.epoch}.{first.version}"'
    assert tag == (await world.http.get(path, headers={"If-None-Match": '"1.2"'})).headers["ETag"]
    known = await world.http.get(path, headers={"If-None-Match": header.format(tag)})
    assert (304, b"", tag) == (known.status_code, known.content, known.headers["ETag"])
    if header != "*":
        second = await world.publish(tenant, START)
        changed = await world.http.get(path, headers={"If-None-Match": header.format(tag)})
        assert (200, second.model_dump(mode="json")) == (changed.status_code, changed.json())


async def test_a_count_that_was_never_published_is_given_whole(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=5)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/licenses", headers={"If-None-Match": '"0.0", *'})
    assert (200, 5, False) == (answer.status_code, answer.json()["acquired_licenses"], "ETag" in answer.headers)


async def test_tenants_are_found_by_their_own_warning_limit(world: World, tenant: str) -> None:
    for name, usage, limit in (("a", 89.9, None), ("b", 90.0, None), ("c", 60.0, 50), ("d", 95.0, 99)):
        await world.set(f"{tenant}-{name}", START, alerts={"warning_percent": limit})
        await world.publish(f"{tenant}-{name}", START, usage_percent=usage)
    await until(lambda: all(world.services.live.count(f"{tenant}-{name}") for name in "abcd"))
    for alerting, expected in (("true", "bc"), ("false", "ad")):
        page = (await world.http.get("/api/v1/tenants", params={"search": tenant, "alerting": alerting})).json()
        assert list(expected) == [item["tenant"].removeprefix(f"{tenant}-") for item in page["items"]]


async def test_tenants_are_found_by_staleness_and_hint(world: World, tenant: str) -> None:
    for name, other in (("a", {}), ("b", {"stale": True, "hints": ["no_pool", "sync_held"]}), ("c", {"stale": True})):
        await world.publish(f"{tenant}-{name}", START, **other)
    await until(lambda: all(world.services.live.count(f"{tenant}-{name}") for name in "abc"))
    for params, expected in (
        ({"stale": "true"}, "bc"), ({"stale": "false"}, "a"), ({"hint": "sync_held"}, "b"),
        ({"hint": "no_gateways"}, ""), ({"stale": "true", "hint": "no_pool", "sort": "usage"}, "b"), ({}, "abc"),
    ):  # fmt: skip
        page = (await world.http.get("/api/v1/tenants", params={"search": tenant} | params)).json()
        assert [f"{tenant}-{name}" for name in expected] == [item["tenant"] for item in page["items"]], params
    assert 422 == (await world.http.get("/api/v1/tenants?hint=nonsense")).status_code


async def test_control_records_are_no_tenants(world: World, tenant: str) -> None:
    await world.send("license-counts", "_claim/0", '{"epoch": 3}')
    await world.publish(tenant, START)
    names = {item["tenant"] for item in (await world.http.get("/api/v1/tenants?limit=1000")).json()["items"]}
    assert tenant in names
    assert not {name for name in names if name.startswith("_")}


async def test_settings_that_a_newer_version_wrote_are_read_as_far_as_they_are_known(world: World, tenant: str) -> None:
    newer = {"tenant": tenant, "revision": 9, "acquired_licenses": 7, "colour": "red", "alerts": {"tone": "low"}}
    await world.send("tenants", tenant, json.dumps(newer))
    await until(lambda: world.services.live.settings(tenant) is not None)
    body = (await world.http.get(f"/api/v1/tenants/{tenant}/settings")).json()
    assert (9, 7, False) == (body["revision"], body["acquired_licenses"], "colour" in body)


async def test_pages_follow_each_other_without_gap_or_repeat(world: World, tenant: str) -> None:
    names = [f"{tenant}-{number}" for number in range(7)]
    for number, name in enumerate(names):
        await world.set(name, START, acquired_licenses=100 if number % 2 else None, display_name=f"Group {tenant}")
        await world.publish(
            name, START, currently_licensed=number * 10, usage_percent=number * 10.0 if number % 2 else None
        )
    await until(lambda: all(world.services.live.count(name) for name in names))
    for sort, expected in (
        ("tenant", names),
        ("usage", [names[5], names[3], names[1], names[0], names[2], names[4], names[6]]),
        ("licensed", names[::-1]),
    ):
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"search": f"group {tenant}", "sort": sort, "limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await world.http.get("/api/v1/tenants", params=params)).json()
            assert len(page["items"]) <= 2
            found += [item["tenant"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert expected == found, sort
    over = (await world.http.get("/api/v1/tenants", params={"search": tenant, "over": 30})).json()
    assert [names[3], names[5]] == [item["tenant"] for item in over["items"]]


async def test_a_page_has_the_highest_count_of_each_day_if_asked_to(world: World, tenant: str) -> None:
    await world.set(f"{tenant}-new", START)
    now = datetime.now(UTC)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
    for at, licensed in ((noon, 7), (noon + timedelta(hours=1), 5), (now, 3)):
        newest = await world.publish(tenant, at, currently_licensed=licensed)
    await until(lambda: world.services.live.count(tenant) == newest)
    answer = await world.http.get("/api/v1/tenants", params={"search": tenant, "sparkline": "30d"})
    assert [(tenant, [7, 5, 5]), (f"{tenant}-new", [])] == [
        (item["tenant"], item["sparkline"]) for item in answer.json()["items"]
    ]
    plain = (await world.http.get("/api/v1/tenants", params={"search": tenant})).json()["items"]
    assert plain == [{name: item[name] for name in item if name != "sparkline"} for item in answer.json()["items"]]
    assert 422 == (await world.http.get("/api/v1/tenants?sparkline=7d")).status_code


async def test_history_carries_the_last_value_into_the_range(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=10)
    world.observe(tenant, "user:1", START, **DIRECT)
    await world.publish(tenant, START)
    world.observe(tenant, "user:2", START + timedelta(hours=5), **DIRECT)
    await world.publish(tenant, START + timedelta(hours=5))
    query = {
        "from": (START + timedelta(hours=3)).isoformat(), "to": (START + timedelta(hours=7)).isoformat(), "step": "1h",
    }  # fmt: skip
    body = (await world.http.get(f"/api/v1/tenants/{tenant}/licenses/history", params=query)).json()
    assert (3_600, format_time(START + timedelta(hours=3)), None) == (body["step"], body["from"], body["demo_until"])
    assert [1, 1, 2, 2] == [point["currently_licensed"]["last"] for point in body["points"]]
    first = body["points"][0]
    assert {"at", "currently_licensed", "acquired_licenses", "available_licenses", "user_licenses", "dr_phone_licenses",
            "factors"} == first.keys()  # fmt: skip
    assert (10, 9) == (first["acquired_licenses"], first["available_licenses"])
    assert first["factors"]["direct_routing"] == {"counted": 1, "matched": 1}

    text = await world.http.get(
        f"/api/v1/tenants/{tenant}/licenses/history", params=query, headers={"Accept": "text/csv"}
    )
    assert text.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text.text)))
    assert ["1", "1", "2", "2"] == [row["currently_licensed_last"] for row in rows]
    assert ("1", "false") == (rows[0]["direct_routing_counted"], rows[0]["demo"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "yesterday"}, "a time is 30d"),
        ({"from": "2026-03-03T12:00:00"}, "with an offset"),
        ({"from": "1h", "to": "2h"}, "the range is empty"),
        ({"from": "3000d", "step": "1s"}, "at most 10,000"),
        ({"step": "often"}, "a step is auto"),
    ],
)
async def test_a_range_that_cannot_be_used_is_told(world: World, tenant: str, query: dict[str, str], said: str) -> None:
    await world.publish(tenant, START)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/licenses/history", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


async def read_events(world: World, tenant: str, last_id: str = "") -> tuple[str, Count]:
    """Return the id and the count of the next event of a tenant's stream, as the endpoint writes them."""
    from portal.api.stream import _events

    lines = _events(world.services.live, frozenset((tenant,)), last_id or None)
    try:
        async with asyncio.timeout(10):
            async for chunk in lines:
                fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if ": " in line)
                if fields.get("event") == "count":
                    return fields["id"], Count.model_validate_json(fields["data"])
    finally:
        await lines.aclose()
    raise AssertionError("the stream ended without an event")


async def test_the_stream_resumes_where_it_was_left(world: World, tenant: str) -> None:
    first = await world.publish(tenant, START)
    last_id, count = await read_events(world, tenant)
    assert first == count
    second = await world.publish(tenant, START + timedelta(minutes=1))
    _, count = await read_events(world, tenant, last_id)
    assert second == count


async def test_the_vendors_shape_has_a_record_a_day(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=10, customer_guid=f"GUID-{tenant}", factors={"lifecycle": False})
    world.observe(tenant, "user:1", START, directory={"sip_address": "sip:one@acme.example"}, **DIRECT)
    now = datetime.now(UTC)
    await world.publish(tenant, now - timedelta(days=3))
    for name in (tenant, f"guid-{tenant}"):
        answer = await world.http.get(f"/api/v3/customer/{name}/licenseinfo", params={"nrOfMonths": 1})
        assert answer.status_code == 200, answer.text
        days = answer.json()
        assert len(days) == 4
        assert (10, 1, 1, 0) == tuple(
            days[-1][key]
            for key in ("acquiredLicenses", "currentlyLicensed", "managedUsersDirectRouting", "managedServiceNumbers")
        )
        assert days[-1]["LicenseFactors"]["managedUsersByLifeCycleManagement"] is False
    users = (await world.http.get(f"/api/v3/customer/{tenant}/licensedUsers")).json()
    assert users == [{"sipAddress": "sip:one@acme.example", "licenseCriteria": "Managed Users - Direct Routing"}]


async def test_a_customer_guid_of_two_tenants_names_neither(world: World, tenant: str) -> None:
    for name in (tenant, f"{tenant}-b"):
        await world.set(name, START, customer_guid=f"shared-{tenant}")
    for path in ("licenseinfo", "licensedUsers"):
        answer = await world.http.get(f"/api/v3/customer/shared-{tenant}/{path}")
        assert (409, True) == (answer.status_code, "more than one tenant" in answer.json()["detail"])
        assert f"{tenant}-b" not in answer.text


async def test_todays_figures_in_the_vendors_shape_are_as_new_as_the_count(world: World, tenant: str) -> None:
    await world.set(tenant, START)
    now = datetime.now(UTC)
    count = await world.publish(tenant, now)
    days = (await world.http.get(f"/api/v3/customer/{tenant}/licenseinfo")).json()
    assert format_time(count.computed_at) == days[-1]["lastUpdate"]


async def test_late_settings_of_a_lower_revision_change_nothing(world: World, tenant: str) -> None:
    late = await world.set(tenant, START, acquired_licenses=1)
    newest = await world.set(tenant, START + timedelta(hours=1), acquired_licenses=2)
    await world.send("tenants", tenant, late.model_dump_json())
    # What is read after it in its partition shows that it has been read.
    place = partition_of(tenant.encode(), PARTITIONS)
    following = next(n for n in map(str, range(99)) if partition_of(f"{tenant}-{n}".encode(), PARTITIONS) == place)
    await world.set(f"{tenant}-{following}", START)
    assert newest == world.services.live.settings(tenant)


async def test_readiness_tells_where_the_broker_is(world: World) -> None:
    answer = await world.http.get("/readyz")
    body = answer.json()
    assert (200, True, False) == (answer.status_code, body["ready"], body["embedded"])
    assert (world.kafka.bootstrap, world.kafka.topic_prefix, 4) == (
        body["kafka_bootstrap"], body["topic_prefix"], body["partitions"]
    )  # fmt: skip
    assert (await world.http.get("/healthz")).json() == {"status": "ok"}


async def test_metrics_name_routes_and_no_tenant(world: World, tenant: str) -> None:
    await world.publish(tenant, START)
    await world.http.get(f"/api/v1/tenants/{tenant}/licenses")
    text = (await world.http.get("/metrics")).text
    assert 'route="/api/v1/tenants/{tenant}/licenses"' in text
    assert tenant not in text


async def test_the_document_of_the_api_names_every_path_of_the_contract(world: World) -> None:
    paths = (await world.http.get("/api/openapi.json")).json()["paths"]
    tenant = "/api/v1/tenants/{tenant}"
    expected = {
        "/api/v1/tenants", f"{tenant}/licenses", f"{tenant}/licenses/history", f"{tenant}/seats",
        f"{tenant}/seats/{{subject}}", f"{tenant}/changes", f"{tenant}/settings", f"{tenant}/settings/changes",
        f"{tenant}/audit", f"{tenant}/what-if", tenant, f"{tenant}/syncs", f"{tenant}/syncs/{{sync_id}}/confirm",
        "/api/v1/provider/settings",
        "/api/v1/events", "/api/v1/stream", "/metrics", "/api/v3/customer/{tenant}/licenseinfo",
        "/api/v3/customer/{tenant}/licensedUsers", "/healthz", "/readyz",
    }  # fmt: skip
    assert expected <= paths.keys()
    assert {"get", "put", "patch"} <= paths[f"{tenant}/settings"].keys()
