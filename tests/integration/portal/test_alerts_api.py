"""Alerts over the REST API: what is open, what was told of it, acknowledgements and silences."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.app import create_app
from portal.kafka.alerts import EarlierAlerts
from portal.kafka.live import LiveTopics
from runtime import kafka as clients
from schemas.alert import Alert, Delivery
from schemas.commands import AcknowledgeAlert, CommandModel
from schemas.settings import ProviderSettings
from schemas.times import format_time
from tests.support.endless import listening
from tests.support.portal_world import PARTITIONS, World, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime.now(UTC).replace(microsecond=0)
RESOLVED: dict[str, Any] = {"change": "resolved", "state": "resolved", "level": None, "value": 70.0}


async def get(world: World, path: str, **params: Any) -> Any:
    answer = await world.http.get(f"/api/v1{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def opened(world: World, tenant: str, hours: float = 1, **changed: Any) -> Alert:
    if world.services.live.settings(tenant) is None:
        await world.set(tenant, NOW - timedelta(days=1), display_name=f"Name of {tenant}", acquired_licenses=500)
    at = NOW - timedelta(hours=hours)
    return await world.alert(tenant, at, **changed)


async def test_open_alerts_come_by_gravity_and_page_by_page(world: World, tenant: str) -> None:
    tenants = [f"{tenant}-{n}" for n in range(3)]
    await opened(world, tenants[0], hours=3)
    await opened(world, tenants[1], hours=1, level="over", value=104.0)
    await opened(world, tenants[2], hours=5, rule="stale", value=None, threshold=None)
    await opened(world, tenants[0], hours=2, rule="sync_held", **RESOLVED)
    expected = [(tenants[1], "pool"), (tenants[2], "stale"), (tenants[0], "pool")]
    whole = await get(world, "/alerts", search=tenant)
    assert expected == [(item["tenant"], item["rule"]) for item in whole["items"]]
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(world, "/alerts", search=tenant, limit=1, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        cursor = page["next_cursor"]
    assert whole["items"] == found


@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ({}, ["pool"]),
        ({"state": "resolved"}, ["stale"]),
        ({"state": "all"}, ["pool", "stale"]),
        ({"state": "all", "rule": "stale"}, ["stale"]),
        ({"level": "critical"}, []),
        ({"search": "NAME OF"}, ["pool"]),
        ({"search": "nobody"}, []),
    ],
)
async def test_filters_hold_together(world: World, tenant: str, asked: dict[str, str], rules: list[str]) -> None:
    await opened(world, tenant)
    await opened(world, tenant, rule="stale", **RESOLVED)
    await opened(world, tenant, hours=24 * 8, rule="sync_held", **RESOLVED)
    found = await get(world, "/alerts", tenant=tenant, **asked)
    assert rules == [item["rule"] for item in found["items"]]


async def test_the_newest_change_counts_and_what_comes_again_does_not(world: World, tenant: str) -> None:
    first = await opened(world, tenant, hours=2)
    newest = await opened(world, tenant, hours=1, change="escalated", level="critical", value=100.0)
    await world.send("alerts", tenant, first.model_dump_json())
    await world.send("alerts", tenant, "rubbish")
    other = await opened(world, tenant, rule="stale")
    found = await get(world, f"/tenants/{tenant}/alerts")
    assert [newest.id, other.id] == [item["id"] for item in found["open"]]


async def test_the_history_of_a_tenant_says_what_became_of_each_telling(world: World, tenant: str) -> None:
    raised = await opened(world, tenant, hours=3)
    over = await opened(world, tenant, hours=2, **RESOLVED)
    for state, attempts, minutes in (("failed", 1, 1), ("delivered", 2, 2)):
        world.record_alert(
            Delivery.model_validate(
                {"id": raised.id, "tenant": tenant, "rule": "pool", "channel": "ops", "state": state,
                 "attempts": attempts, "at": format_time(raised.at + timedelta(minutes=minutes)),
                 "error": "https://hooks.example/secret does not answer"}
            )
        )  # fmt: skip
    world.record_alert(raised)  # at least once: it may be there twice
    found = await get(world, f"/tenants/{tenant}/alerts")
    assert [(over.id, []), (raised.id, [("ops", "delivered", 2)])] == [
        (item["id"], [(each["channel"], each["state"], each["attempts"]) for each in item["deliveries"]])
        for item in found["items"]
    ]
    assert "hooks.example" not in str(found)
    only = await get(world, f"/tenants/{tenant}/alerts", state="firing", **{"from": "1d"})
    assert [raised.id] == [item["id"] for item in only["items"]]
    assert [] == (await get(world, f"/tenants/{tenant}/alerts", **{"from": "30m"}))["items"]


async def test_pages_of_the_history_follow_each_other(world: World, tenant: str) -> None:
    expected = [(await opened(world, tenant, hours=hours)).id for hours in (3, 2, 1)][::-1]
    first = await get(world, f"/tenants/{tenant}/alerts", limit=2)
    second = await get(world, f"/tenants/{tenant}/alerts", limit=2, cursor=first["next_cursor"])
    assert expected == [item["id"] for page in (first, second) for item in page["items"]]
    assert second["next_cursor"] is None


async def test_an_acknowledgement_is_a_command_and_its_answer_the_alert(world: World, tenant: str) -> None:
    await opened(world, tenant)
    path = f"/api/v1/tenants/{tenant}/alerts/pool/acknowledge"
    answer = await world.http.post(path, headers={"From": "ana@msp.example"})
    assert (200, "ana@msp.example") == (answer.status_code, answer.json()["acknowledged_by"]), answer.text
    sent = [CommandModel.validate_json(record.value) for record in await world.read_topic("commands")]
    assert [("pool", "ana@msp.example")] == [
        (each.rule, each.by) for each in sent if isinstance(each, AcknowledgeAlert) and each.tenant == tenant
    ]
    await until(lambda: [each.acknowledged_by for each in world.services.alerts.of(tenant)] == ["ana@msp.example"])


async def test_what_is_not_open_cannot_be_acknowledged(world: World, tenant: str) -> None:
    await opened(world, tenant, **RESOLVED)
    for path, status in ((f"{tenant}/alerts/pool", 409), (f"{tenant}/alerts/x", 422), ("nobody/alerts/pool", 404)):
        answer = await world.http.post(f"/api/v1/tenants/{path}/acknowledge")
        assert status == answer.status_code, answer.text


async def test_a_silence_is_a_setting_and_ends_by_its_id(world: World, tenant: str) -> None:
    await opened(world, tenant)
    path = f"/api/v1/tenants/{tenant}/alerts/silences"
    until_ = NOW + timedelta(hours=2)
    made = await world.http.post(path, json={"rule": "pool", "until": format_time(until_), "reason": "ordered"})
    assert 201 == made.status_code, made.text
    settings = (await get(world, f"/tenants/{tenant}/settings"))["alerts"]["silences"]
    assert [("pool", "ordered")] == [(each["rule"], each["reason"]) for each in settings]
    found = await get(world, f"/tenants/{tenant}/alerts")
    assert [format_time(until_)] == [item["silenced_until"] for item in found["open"]]
    assert [made.json()] == found["silences"]
    ended = await world.http.delete(f"{path}/{made.json()['id']}")
    assert 200 == ended.status_code, ended.text
    assert 404 == (await world.http.delete(f"{path}/{made.json()['id']}")).status_code
    assert (await get(world, f"/tenants/{tenant}/settings"))["alerts"]["silences"] is None


async def test_people_who_mute_at_once_do_not_lose_each_others(world: World, tenant: str) -> None:
    await opened(world, tenant)
    path = f"/api/v1/tenants/{tenant}/alerts/silences"
    bodies = [{"until": format_time(NOW + timedelta(hours=2)), "reason": f"of {n}"} for n in range(4)]
    answers = await asyncio.gather(*(world.http.post(path, json=body) for body in bodies))
    assert [201] * 4 == [answer.status_code for answer in answers], [answer.text for answer in answers]
    kept = (await get(world, f"/tenants/{tenant}/settings"))["alerts"]["silences"]
    assert {body["reason"] for body in bodies} == {each["reason"] for each in kept}


@pytest.mark.parametrize(
    "body", [{}, {"until": "2020-01-01T00:00:00Z"}, {"until": "2099-01-01T00:00:00Z", "since": "2099-02-01T00:00:00Z"},
             {"until": "2099-01-01T00:00:00Z", "rule": "x"}, 5]
)  # fmt: skip
async def test_a_silence_that_is_none_is_refused(world: World, tenant: str, body: Any) -> None:
    await opened(world, tenant)
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/alerts/silences", json=body)
    assert 422 == answer.status_code, answer.text


async def test_the_provider_s_silences_hold_for_every_tenant_and_are_not_the_tenant_s_to_end(
    world: World, tenant: str
) -> None:
    await opened(world, tenant)
    silence = {"until": "2099-01-01T00:00:00.000Z", "reason": "maintenance"}
    provider = ProviderSettings.model_validate({"revision": 1, "alerts": {"silences": [silence]}})
    world.counter.known["_provider"] = provider
    await world.send("tenants", "_provider", provider.model_dump_json())
    await until(lambda: world.services.live.provider().alerts.silences)
    try:
        found = await get(world, f"/tenants/{tenant}/alerts")
        assert ["provider"] == [each["scope"] for each in found["silences"]]
        assert silence["until"] == found["open"][0]["silenced_until"]
        answer = await world.http.delete(f"/api/v1/tenants/{tenant}/alerts/silences/{found['silences'][0]['id']}")
        assert 404 == answer.status_code
    finally:
        await world.http.put("/api/v1/provider/settings", json={})
        await until(lambda: not world.services.live.provider().alerts.silences)


async def test_the_stream_tells_of_changes_and_resumes_after_them(world: World, tenant: str) -> None:
    first = await opened(world, tenant)
    app, path = create_app(world.services), "/api/v1/stream"
    async with listening(app, path, {}) as heard:
        await until(lambda: first.id in heard.text)
        last_id = [line for line in heard.text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
    newest = await opened(world, tenant, hours=0, change="escalated", level="critical")
    async with listening(app, path, {"Last-Event-ID": last_id}) as heard:
        await until(lambda: newest.id in heard.text)
    assert first.id not in heard.text
    assert "event: alert\ndata: {" in heard.text


async def test_what_opened_before_the_topic_begins_is_read_from_clickhouse(world: World, tenant: str) -> None:
    await world.set(tenant, NOW - timedelta(days=40), acquired_licenses=500)
    old = Alert.model_validate(
        (await opened(world, f"{tenant}-x")).model_dump()
        | {"id": uuid.uuid4().hex, "tenant": tenant, "at": NOW - timedelta(days=30), "since": NOW - timedelta(days=30)}
    )
    world.record_alert(old)
    gone = old.model_copy(update={"rule": "stale", "id": uuid.uuid4().hex})
    world.record_alert(gone)
    world.record_alert(gone.model_copy(update=RESOLVED | {"id": uuid.uuid4().hex, "at": NOW - timedelta(days=29)}))
    consumer = clients.reader(world.kafka)
    await consumer.start()
    live = LiveTopics(consumer, world.kafka.topic_prefix, PARTITIONS)
    async with live, EarlierAlerts(world.services.store, live):
        await until(lambda: live.alerts.complete)
        assert [old] == list(live.alerts.of(tenant))
    await consumer.stop()
