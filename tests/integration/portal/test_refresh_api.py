"""A refresh is asked for, seen to advance and waited for; the sources are told of as their collector tells."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from portal.api.stream import _events
from runtime.portal_process import web_config
from schemas.commands import Refresh
from schemas.identifiers import partition_of
from schemas.sources import SourceState
from schemas.times import format_time
from tests.support.command_line import Ended, run_cli
from tests.support.portal_world import PARTITIONS, START, World, served, until
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

GUID = "0b6c0a5e-1f6e-4c8e-9a3b-6a6e9d2f7c11"


async def collected(world: World, tenant: str) -> str:
    """Make a tenant that Microsoft Graph is read of."""
    await world.set(tenant, START, acquired_licenses=5, ms_tenant_id=GUID, graph={})
    await world.publish(tenant, START)
    return tenant


def state(tenant: str, part: Any, reached: Any, refresh: str | None = None, **other: Any) -> SourceState:
    facets: dict[str, Any] = {"users": ["directory", "subscription"], "accounts": ["voice"], "skus": []}
    return SourceState(
        tenant=tenant, source="graph", part=part, facets=facets[part], state=reached, since=START, at=START,
        refresh=refresh, **other,
    )  # fmt: skip


async def asked(world: World, tenant: str) -> str:
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/refresh", headers={"From": "ana@msp.example"})
    assert 202 == answer.status_code, answer.text
    return str(answer.json()["id"])


async def looked(world: World, refresh_id: str) -> Any:
    answer = await world.http.get(f"/api/v1/refreshes/{refresh_id}")
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def refreshes(world: World, tenant: str) -> list[tuple[int, Refresh]]:
    sent = [(record.partition, json.loads(record.value)) for record in await world.read_topic("commands")]
    return [(at, Refresh(**item)) for at, item in sent if (item["type"], item["tenant"]) == ("refresh", tenant)]


async def test_the_sources_are_shown_as_their_collector_tells_without_its_cursor(world: World, tenant: str) -> None:
    await collected(world, tenant)
    await world.publish(tenant, START, freshness={"voice": START}, hints=["no_gateways", "source_failing"])
    users = state(tenant, "users", "ok", read=7, full_at=START, cursor="https://graph.example/delta?token=secret")
    failing = state(tenant, "accounts", "failing", reason="consent is missing: grant it")
    for told in (users, state(tenant, "accounts", "reading"), failing):
        await world.tell(told)
    await until(lambda: (world.services.live.count(tenant) or _none()).freshness)
    answer = await world.http.get(f"/api/v1/tenants/{tenant}/sources")
    at = format_time(START)
    assert {
        "items": [
            {"source": "graph", "part": "accounts", "facets": ["voice"], "state": "failing",
             "reason": "consent is missing: grant it", "since": at, "at": at, "read": 0, "full_at": None},
            {"source": "graph", "part": "users", "facets": ["directory", "subscription"], "state": "ok", "reason": "",
             "since": at, "at": at, "read": 7, "full_at": at},
        ],
        "freshness": {"voice": at},
        "hints": ["no_gateways", "source_failing"],
    } == answer.json()  # fmt: skip
    await world.forget_source(failing)
    left = (await world.http.get(f"/api/v1/tenants/{tenant}/sources")).json()["items"]
    assert ["users"] == [item["part"] for item in left]


async def test_rubbish_among_the_sources_hides_nothing(world: World, tenant: str) -> None:
    await collected(world, tenant)
    await world.send("sources", f"{tenant}/graph/users", "{}")
    await world.send("sources", f"{tenant}/graph/users", "rubbish")
    await world.tell(state(tenant, "accounts", "ok"))
    assert world.services.live.ready
    items = (await world.http.get(f"/api/v1/tenants/{tenant}/sources")).json()["items"]
    assert ["accounts"] == [item["part"] for item in items]


async def test_a_refresh_is_a_command_to_the_collector_of_the_tenant(world: World, tenant: str) -> None:
    refresh_id = await asked(world, await collected(world, tenant))
    ((partition, sent),) = await refreshes(world, tenant)
    assert (partition_of(tenant.encode(), PARTITIONS), refresh_id, "ana@msp.example") == (partition, sent.id, sent.by)


async def test_a_refresh_is_seen_to_advance(world: World, tenant: str) -> None:
    refresh_id = await asked(world, await collected(world, tenant))
    now = await looked(world, refresh_id)
    assert ({}, False, refresh_id, tenant) == (now["facets"], now["done"], now["id"], now["tenant"])
    await world.tell(state(tenant, "users", "ok", "another", read=3))
    await world.tell(state(tenant, "accounts", "reading", refresh_id, read=40))
    facets = (await looked(world, refresh_id))["facets"]
    assert {"part": "accounts", "state": "reading", "read": 40, "reason": "", "fresh_at": None} == facets["voice"]
    assert ["waiting", "waiting"] == [facets[facet]["state"] for facet in ("directory", "subscription")]
    await world.tell(state(tenant, "users", "held", refresh_id, reason="directory: it would remove 90 of 100"))
    fresh_at = datetime.fromisoformat(now["started_at"]) + timedelta(seconds=1)
    await world.publish(tenant, START, freshness={"voice": fresh_at})
    await until(lambda: (world.services.live.count(tenant) or _none()).freshness)
    now = await looked(world, refresh_id)
    voice, directory = now["facets"]["voice"], now["facets"]["directory"]
    assert (True, "done", format_time(fresh_at)) == (now["done"], voice["state"], voice["fresh_at"])
    assert ("held", "directory: it would remove 90 of 100") == (directory["state"], directory["reason"])


async def streamed(world: World, tenant: str, wanted: Callable[[Any], bool]) -> Any:
    """Return the first refresh of a new client's stream that is wanted."""
    events = _events(world.services.live, frozenset({tenant}), None)
    async with asyncio.timeout(10), contextlib.aclosing(events):
        async for chunk in events:
            for event in chunk.decode().split("\n\n"):
                kind, _, data = event.partition("\ndata: ")
                if kind == "event: refresh" and wanted(found := json.loads(data)):
                    return found
    raise AssertionError("the stream ended")


async def test_the_stream_tells_how_far_a_refresh_is_while_it_goes_on(world: World, tenant: str) -> None:
    refresh_id = await asked(world, await collected(world, tenant))
    assert await looked(world, refresh_id) == await streamed(world, tenant, lambda _: True)
    listening = asyncio.create_task(streamed(world, tenant, lambda found: found["done"]))
    for read in (1, 40):
        await world.tell(state(tenant, "accounts", "reading", refresh_id, read=read))
    assert 40 == (await streamed(world, tenant, lambda _: True))["facets"]["voice"]["read"]
    fresh_at = datetime.now(UTC) + timedelta(seconds=1)
    await world.publish(tenant, START, freshness={"voice": fresh_at})
    found = await listening
    assert "done" == found["facets"]["voice"]["state"]
    assert await looked(world, refresh_id) == found


async def test_a_refresh_that_another_portal_sent_is_known_here(world: World, tenant: str) -> None:
    await collected(world, tenant)
    sent = Refresh(id=f"{tenant}-1", tenant=tenant, by="ana", sent_at=START)
    await world.send("commands", tenant, sent.model_dump_json())

    async def known() -> bool:
        return world.services.refreshes.heard(sent.id) is not None

    await eventually_async(known)
    assert format_time(START) == (await looked(world, sent.id))["started_at"]


async def test_a_refresh_never_heard_of_is_told_with_where_to_look(world: World) -> None:
    answer = await world.http.get("/api/v1/refreshes/nothing")
    assert (404, True) == (answer.status_code, "/api/v1/tenants/{tenant}/sources" in answer.json()["detail"])


@pytest.mark.parametrize("settings", [{}, {"ms_tenant_id": GUID}, {"graph": {}}])
async def test_where_nothing_can_be_asked_the_user_is_told_how_it_could(
    world: World, tenant: str, settings: dict[str, Any]
) -> None:
    await world.set(tenant, START, **settings)
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/refresh")
    assert 409 == answer.status_code
    assert f"`poolwatch tenant set {tenant} --ms-tenant-id GUID --graph on`" in answer.json()["detail"]
    assert [] == await refreshes(world, tenant)


async def test_a_tenant_never_heard_of_has_no_sources(world: World, tenant: str) -> None:
    for method, path in (("GET", "sources"), ("POST", "refresh")):
        answer = await world.http.request(method, f"/api/v1/tenants/{tenant}/{path}")
        assert (404, True) == (answer.status_code, "was never heard of" in answer.json()["detail"])


@pytest_asyncio.fixture(loop_scope="module")
async def url(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with served(web_config(world.services)) as own:
        monkeypatch.setenv("POOLWATCH_URL", own)
        yield own


async def cli(*arguments: str) -> Ended:
    return await asyncio.to_thread(run_cli, *arguments)


async def answered(world: World, tenant: str, part: Any, reached: Any, fresh: bool, reason: str = "") -> None:
    """Answer the next refresh of a tenant as a collector does."""

    async def sent() -> list[tuple[int, Refresh]]:
        return await refreshes(world, tenant)

    refresh = (await eventually_async(sent))[0][1]
    await world.tell(state(tenant, part, "reading", refresh.id, read=1))
    await world.tell(state(tenant, part, reached, refresh.id, read=2, reason=reason))
    if fresh:
        await world.publish(tenant, START, freshness={"voice": refresh.sent_at})


async def test_the_command_waits_until_every_facet_is_read(url: str, world: World, tenant: str) -> None:
    await collected(world, tenant)
    await world.tell(state(tenant, "accounts", "ok"))
    ended, _ = await asyncio.gather(
        cli("refresh", tenant, "--wait", "--timeout", "30"), answered(world, tenant, "accounts", "ok", fresh=True)
    )
    assert (0, "") == (ended.code, ended.err)
    assert ("voice: waiting", "voice: done") == (ended.out.splitlines()[0], ended.out.splitlines()[-1])


async def test_the_command_ends_with_1_where_a_facet_is_held(url: str, world: World, tenant: str) -> None:
    await collected(world, tenant)
    ended, _ = await asyncio.gather(
        cli("refresh", tenant, "--wait", "--timeout", "30", "--json"),
        answered(world, tenant, "accounts", "held", fresh=False, reason="it would remove 90 of 100"),
    )
    assert (1, "poolwatch: voice is held: it would remove 90 of 100\n") == (ended.code, ended.err)
    assert ("held", True) == (json.loads(ended.out)["facets"]["voice"]["state"], json.loads(ended.out)["done"])


async def test_the_command_says_when_no_collector_answers(url: str, world: World, tenant: str) -> None:
    await collected(world, tenant)
    ended = await cli("refresh", tenant, "--wait", "--timeout", "1")
    assert (1, "") == (ended.code, ended.out)
    assert "`poolwatch run collector graph` runs" in ended.err


async def test_the_command_asks_and_goes_without_wait(url: str, world: World, tenant: str) -> None:
    await collected(world, tenant)
    told = await cli("refresh", tenant)
    assert (0, True) == (told.code, f"`poolwatch sources {tenant}`" in told.out)
    as_json = await cli("refresh", tenant, "--json")
    assert [{"id": sent.id} for _, sent in await refreshes(world, tenant)][1] == json.loads(as_json.out)


async def test_the_table_of_sources_says_what_is_the_matter(url: str, world: World, tenant: str) -> None:
    await collected(world, tenant)
    empty = await cli("sources", tenant)
    assert (0, True) == (empty.code, "no collector has told" in empty.out)
    await world.tell(state(tenant, "users", "failing", reason="consent is missing"))
    table = await cli("sources", tenant)
    for text in ("users", "failing", "directory, subscription", "consent is missing"):
        assert text in table.out
    api = await world.http.get(f"/api/v1/tenants/{tenant}/sources")
    assert api.json() == json.loads((await cli("sources", tenant, "--json")).out)


def _none() -> Any:
    raise AssertionError("no count yet")
