"""Settings by command: revisions, lost races, mistakes in words, and their history."""

import asyncio
from typing import Any

import pytest

from portal.kafka.commands import KafkaCommands
from portal.kafka.durability import BrokerKeeps
from portal.kafka.publishing import Publisher
from portal.refreshes import RefreshBook, progress
from portal.services import NoAnswer
from runtime import kafka as clients
from tests.support.portal_world import PARTITIONS, START, World, until
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_tenant_is_made_by_its_first_settings(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}/settings"
    made = await world.http.patch(path, json={"acquired_licenses": 500}, headers={"From": "ana@msp.example"})
    assert (200, '"1"') == (made.status_code, made.headers["ETag"])
    assert (500, 1, "ana@msp.example") == tuple(
        made.json()[key] for key in ("acquired_licenses", "revision", "updated_by")
    )
    await until(lambda: world.services.live.settings(tenant))
    read = await world.http.get(path)
    assert (made.json(), '"1"') == (read.json(), read.headers["ETag"])


async def test_what_get_gives_can_be_put_and_put_replaces(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}/settings"
    await world.http.patch(path, json={"acquired_licenses": 5, "gateways": ["sbc1.acme.example"]})
    await until(lambda: world.services.live.settings(tenant))
    body = (await world.http.get(path)).json()
    del body["gateways"]
    put = await world.http.put(path, json=body)
    assert (200, [], 5, 2) == (
        put.status_code, put.json()["gateways"], put.json()["acquired_licenses"], put.json()["revision"]
    )  # fmt: skip


async def test_a_client_that_has_the_settings_gets_them_again_once_they_change(world: World, tenant: str) -> None:
    for path in (f"/api/v1/tenants/{tenant}/settings", "/api/v1/provider/settings"):
        tag = (await world.http.patch(path, json={"stale_after_s": 60})).headers["ETag"]

        async def known(path: str = path, tag: str = tag) -> bool:
            again = await world.http.get(path, headers={"If-None-Match": tag})
            return (304, b"", tag) == (again.status_code, again.content, again.headers["ETag"])

        await eventually_async(known)
        await world.http.patch(path, json={"stale_after_s": 90})

        async def changed(path: str = path, tag: str = tag) -> bool:
            again = await world.http.get(path, headers={"If-None-Match": tag})
            return again.status_code == 200 and again.json()["stale_after_s"] == 90 and again.headers["ETag"] != tag

        await eventually_async(changed)


async def test_a_lost_race_is_told_with_the_revision_that_won(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}/settings"
    first = await world.http.patch(path, json={"acquired_licenses": 5})
    await world.http.patch(path, json={"acquired_licenses": 6}, headers={"If-Match": first.headers["ETag"]})
    lost = await world.http.patch(path, json={"acquired_licenses": 7}, headers={"If-Match": first.headers["ETag"]})
    assert (412, 2) == (lost.status_code, lost.json()["revision"])
    assert "apply the change to what GET gives" in lost.json()["detail"]
    odd = await world.http.patch(path, json={}, headers={"If-Match": '"1", "2"'})
    assert (422, True) == (odd.status_code, "one ETag that GET gave" in odd.json()["detail"])


async def test_two_writers_of_one_revision_never_both_win(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}/settings"
    first = await world.http.patch(path, json={})
    etag = {"If-Match": first.headers["ETag"]}
    answers = await asyncio.gather(
        *(world.http.patch(path, json={"acquired_licenses": n}, headers=etag) for n in range(8))
    )
    assert [200] + [412] * 7 == sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"\x00\xff", 400, "not JSON"),
        (b"[]", 422, "settings are a JSON object"),
        (b'{"acquired_licenses": -1}', 422, "acquired_licenses: Input should be greater than or equal to 0"),
        (b'{"criteria": {"dr_numbers": "(?<=a)b"}}', 422, "RE2"),
        (b'{"criteria": {"dr_numbers": "' + b"a" * 10_000 + b'"}}', 422, "at most 1000 characters"),
        (b'{"x": "' + b"a" * 600_000 + b'"}', 413, "settings are smaller"),
    ],
)
async def test_a_mistake_changes_nothing_and_is_told(
    world: World, tenant: str, body: bytes, status: int, said: str
) -> None:
    answer = await world.http.put(f"/api/v1/tenants/{tenant}/settings", content=body)
    assert status == answer.status_code
    assert said in answer.json()["detail"]
    assert tenant not in world.counter.known


async def test_the_provider_has_defaults_of_its_own(world: World, tenant: str) -> None:
    before = await world.http.get("/api/v1/provider/settings")
    changed = await world.http.patch(
        "/api/v1/provider/settings", json={"stale_after_s": 7_200}, headers={"If-Match": before.headers["ETag"]}
    )
    assert (200, 7_200) == (changed.status_code, changed.json()["stale_after_s"])
    await until(lambda: world.services.live.provider().stale_after_s == 7_200)


async def test_a_removed_tenant_is_gone_until_it_is_set_again(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}"
    await world.http.patch(f"{path}/settings", json={"acquired_licenses": 5})
    await until(lambda: world.services.live.settings(tenant))
    removed = await world.http.delete(path)
    assert (200, False) == (removed.status_code, removed.json()["purged"])
    await until(lambda: (world.services.live.settings(tenant) or _none()).removed_at)
    gone = await world.http.get(f"{path}/licenses")
    assert (404, True) == (gone.status_code, "was removed at" in gone.json()["detail"])
    names = [
        item["tenant"] for item in (await world.http.get("/api/v1/tenants", params={"search": tenant})).json()["items"]
    ]
    assert names == []
    again = (await world.http.patch(f"{path}/settings", json={"acquired_licenses": 7})).json()
    assert removed.json()["removed_at"] == again["removed_at"], "it stays, as a floor"
    await until(lambda: (world.services.live.settings(tenant) or _none()).revision == again["revision"])
    back = await world.http.get(f"{path}/licenses")
    assert (200, 7) == (back.status_code, back.json()["acquired_licenses"])
    listed = (await world.http.get("/api/v1/tenants", params={"search": tenant})).json()["items"]
    assert [tenant] == [item["tenant"] for item in listed]


def _none() -> Any:
    raise AssertionError("no settings yet")


async def test_the_history_of_settings_says_who_changed_what_from_what(world: World, tenant: str) -> None:
    await world.set(tenant, START, acquired_licenses=500)
    await world.set(tenant, START.replace(hour=5), acquired_licenses=500, factors={"lifecycle": False})
    page = (await world.http.get(f"/api/v1/tenants/{tenant}/settings/changes", params={"limit": 1})).json()
    (newest,) = page["items"]
    assert ("ana", 2) == (newest["by"], newest["revision"])
    assert newest["changes"] == [{"setting": "factors.lifecycle", "from": None, "to": False}]
    rest = await world.http.get(f"/api/v1/tenants/{tenant}/settings/changes", params={"cursor": page["next_cursor"]})
    assert [{"setting": "acquired_licenses", "from": None, "to": 500}] == rest.json()["items"][0]["changes"]
    assert rest.json()["next_cursor"] is None


async def test_without_a_counter_the_writer_is_told_that_nobody_answered(world: World, tenant: str) -> None:
    consumer = clients.reader(world.kafka)
    await consumer.start()
    world.counter.silent = True
    try:
        publisher = Publisher(world.producer, world.kafka.topic_prefix)
        book = RefreshBook(lambda refresh: progress(refresh, [], {}), lambda _: None)
        async with KafkaCommands(
            publisher, consumer, world.kafka.topic_prefix, PARTITIONS, BrokerKeeps(), book, timeout_s=0.2
        ) as commands:
            with pytest.raises(NoAnswer, match="poolwatch run counter"):
                await commands.change(tenant, "patch", {}, None, "ana")
    finally:
        world.counter.silent = False
        await consumer.stop()


async def test_a_page_of_another_site_changes_nothing(world: World, tenant: str) -> None:
    path = f"/api/v1/tenants/{tenant}/settings"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await world.http.patch(path, json={}, headers=headers)
        assert (403, True) == (answer.status_code, "another site" in answer.json()["detail"])
    assert tenant not in world.counter.known
    own = await world.http.patch(path, json={}, headers={"Origin": "http://portal"})
    assert own.status_code == 200
