"""Events and held syncs over the REST API, into real topics."""

import json
from typing import Any

import msgspec
import pytest

from schemas.commands import SyncRun
from schemas.identifiers import partition_of, subject_key
from schemas.times import format_time
from streams.sink.processors import commands
from tests.support.portal_world import PARTITIONS, START, World
from tests.support.sinking import MemoryRecord

pytestmark = pytest.mark.asyncio(loop_scope="module")

URL = "/api/v1/events"


def event(tenant: str, subject: str = "user:1", **other: Any) -> dict[str, Any]:
    return {
        "type": "directory", "tenant": tenant, "subject": subject, "observed_at": format_time(START), "source": "test",
        "facts": {"display_name": "Ana"},
    } | other  # fmt: skip


async def sent(world: World, topic: Any, tenant: str) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for record in await world.read_topic(topic):
        value = msgspec.json.decode(record.value)
        found += [(record.partition, item) for item in (value if isinstance(value, list) else [value])]
    return [(partition, item) for partition, item in found if item["tenant"] == tenant]


async def test_an_event_is_published_where_the_meter_looks_for_it(world: World, tenant: str) -> None:
    answer = await world.http.post(URL, json=event(tenant))
    assert (202, {"accepted": 1, "rejected": []}) == (answer.status_code, answer.json())
    ((partition, item),) = await sent(world, "user-changes", tenant)
    assert partition_of(subject_key(tenant, "user:1"), PARTITIONS) == partition
    assert ("directory", {"display_name": "Ana"}) == (item["type"], item["facts"])


async def test_an_array_may_mix_tenants_and_a_bad_event_takes_none_along(world: World, tenant: str) -> None:
    good = [event(tenant, f"user:{number}") for number in range(5)] + [event(f"{tenant}-b")]
    body = [*good[:3], event(tenant, "USER:1"), event("a/b"), *good[3:]]
    answer = await world.http.post(URL, json=body)
    assert (202, 6) == (answer.status_code, answer.json()["accepted"])
    assert [3, 4] == [item["index"] for item in answer.json()["rejected"]]
    assert "a tenant id is 1 to 64" in answer.json()["rejected"][1]["reason"]
    assert len(await sent(world, "user-changes", tenant)) == 5
    assert len(await sent(world, "user-changes", f"{tenant}-b")) == 1


async def test_facts_that_no_schema_names_are_left_out_and_counted(world: World, tenant: str) -> None:
    more = event(tenant, facts={"display_name": "Ana", "colour": "red", "size": 5})
    answer = await world.http.post(URL, json=[more, event(tenant, "user:2")])
    assert (202, {"accepted": 2, "rejected": [], "unknown_facts": 2}) == (answer.status_code, answer.json())
    assert [{"display_name": "Ana"}] * 2 == [item["facts"] for _, item in await sent(world, "user-changes", tenant)]


async def test_an_empty_array_is_accepted(world: World) -> None:
    answer = await world.http.post(URL, json=[])
    assert (202, {"accepted": 0, "rejected": []}) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "surprise"}, "surprise"),
        ({"observed_at": "2026-03-03T12:00:00"}, "observed_at"),
        ({"observed_at": "2999-01-01T00:00:00Z"}, "more than 5 minutes ahead"),
        ({"facts": {"display_name": "x" * 70_000}}, "at most 65,536"),
        ({"facts": {"deleted": "yes"}}, "deleted"),
        ({"tenant": "a/b"}, "a tenant id is 1 to 64"),
        ({"subject": "number:+15550100"}, "does not belong on"),
        ({"source": ""}, "source"),
    ],
)
async def test_when_no_event_is_good_the_reason_is_told(world: World, tenant: str, change: Any, said: str) -> None:
    answer = await world.http.post(URL, json=event(tenant) | change)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert answer.json()["rejected"][0]["index"] == 0


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        (b"", 400, "not JSON"),
        (b"\x89PNG\r\n\x1a\n\x00", 400, "not JSON"),
        (b"[" * 100_000, 400, "no event was accepted"),
        (b'"text"', 422, "no event was accepted"),
        (b" " * 10_000_000, 413, "1,000 events or fewer"),
        (json.dumps([{}] * 1_001).encode(), 413, "at most 1,000"),
    ],
)
async def test_a_body_that_is_no_event_gets_a_clear_answer(world: World, body: bytes, status: int, said: str) -> None:
    answer = await world.http.post(URL, content=body)
    assert status == answer.status_code, answer.text
    assert said in answer.json()["detail"]


async def held_sync(world: World, tenant: str, status: str = "held") -> SyncRun:
    await world.publish(tenant, START)
    run = SyncRun.model_validate(
        {"id": f"{tenant}-1", "tenant": tenant, "by": "import", "sent_at": format_time(START), "facet": "voice",
         "source": "users-file", "started_at": format_time(START), "seen": 10, "expected": 100, "status": status}
    )  # fmt: skip
    record = MemoryRecord("commands", run.model_dump_json().encode(), tenant.encode())
    world.store(commands([record]).batches)
    return run


async def test_a_confirmed_sync_sweeps_in_every_partition_and_is_told(world: World, tenant: str) -> None:
    run = await held_sync(world, tenant)
    listed = (await world.http.get(f"/api/v1/tenants/{tenant}/syncs")).json()
    assert [json.loads(run.model_dump_json())] == listed["items"]
    answer = await world.http.post(
        f"/api/v1/tenants/{tenant}/syncs/{run.id}/confirm", headers={"From": "ana@msp.example"}
    )
    assert (200, "confirmed", "ana@msp.example") == (answer.status_code, answer.json()["status"], answer.json()["by"])
    sweeps = await sent(world, "assignments", tenant)
    assert list(range(PARTITIONS)) == sorted(partition for partition, _ in sweeps)
    assert {("sync_completed", "voice", "users-file", format_time(START))} == {
        (item["type"], item["facet"], item["source"], item["started_at"]) for _, item in sweeps
    }
    told = [item for _, item in await sent(world, "commands", tenant)]
    assert [(run.id, "sync_run", "confirmed")] == [(item["id"], item["type"], item["status"]) for item in told]


async def test_only_a_held_sync_waits_for_a_confirmation(world: World, tenant: str) -> None:
    run = await held_sync(world, tenant, "completed")
    answer = await world.http.post(f"/api/v1/tenants/{tenant}/syncs/{run.id}/confirm")
    assert (409, True) == (answer.status_code, "only a held one" in answer.json()["detail"])
    unknown = await world.http.post(f"/api/v1/tenants/{tenant}/syncs/nothing/confirm")
    assert (404, True) == (unknown.status_code, "lists those it has" in unknown.json()["detail"])
    assert await sent(world, "assignments", tenant) == []
