"""Settings by command: answers, revisions, switches, criteria, removal, on a real broker."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.identifiers import subject_key
from schemas.times import format_time
from tests.support.made_events import Event, made_events
from tests.support.streams_world import StreamsWorld
from tests.support.waiting import eventually_async


def observation(subject: str, facet: str, facts: dict[str, Any] | None, tenant: str = "contoso", **other: Any) -> Event:
    at = format_time(other.pop("at", datetime.now(UTC)))
    base = {"type": facet, "tenant": tenant, "subject": subject, "observed_at": at, "source": "graph", "facts": facts}
    return base | other


def vendors_example() -> list[Event]:
    direct = [observation(f"user:d{n}", "phone_number", {"number_type": "directRouting"}) for n in range(200)]
    operator = [observation(f"user:o{n}", "phone_number", {"number_type": "operatorConnect"}) for n in range(100)]
    by_hand = [observation(f"user:i{n}", "interface", {"change": "policy"}) for n in range(50)]
    numbers = [observation(f"number:+1555{n:04}", "dial_plan", {"tag": "fax"}) for n in range(20)]
    return direct + operator + by_hand + numbers


async def test_the_vendors_example_is_370_of_500_and_a_switch_acts_within_a_second(world: StreamsWorld) -> None:
    worker = world.worker()
    answer = await world.set("contoso", "put", acquired_licenses=500)
    assert ("done", 1) == (answer.status, answer.revision)
    await world.send(vendors_example())
    count = await world.count_of("contoso", currently_licensed=370, available_licenses=130, usage_percent=74.0)
    assert [200, 100, 0, 50, 20] == [factor.counted for factor in count.factors]
    await world.settled()

    begin = time.monotonic()
    await world.command("contoso", factors={"user_interface": False})
    count = await world.count_of("contoso", 1.0, currently_licensed=320, settings_revision=2)
    assert time.monotonic() - begin < 1.0
    assert ("rules", "0 (50) (n/a)") == (count.cause.kind, count.factors[3].display)
    assert 0 == await worker.stop()


async def test_commands_are_answered_in_order_and_a_lost_race_is_a_conflict(world: StreamsWorld) -> None:
    world.worker()
    first = await world.command("acme", acquired_licenses=10)
    assert 1 == (await world.answered(first)).revision
    assert 2 == (await world.set("acme", acquired_licenses=20)).revision
    stale = await world.command("acme", if_match=1, acquired_licenses=30)
    answer = await world.answered(stale)
    assert ("conflict", 2) == (answer.status, answer.revision)
    answer = await world.set("acme", criteria={"dr_numbers": "(unclosed"})
    assert "invalid" == answer.status
    assert "unclosed" in answer.detail
    await world.put("commands", world.place(b"acme"), b'{"type":"dance"}', b"acme")
    assert 3 == (await world.set("acme", acquired_licenses=40)).revision
    await world.count_of("acme", acquired_licenses=40, settings_revision=3)
    (letter,) = world.records["dead-letters"]
    assert (b'{"type":"dance"}', b"commands") == (letter.value, dict(letter.headers)["topic"])


async def test_a_change_of_criteria_shows_no_half_way_count_while_live_events_go_on(world: StreamsWorld) -> None:
    worker = world.worker()
    gateways = ["sbc1.example"]
    await world.set("big", gateways=gateways, acquired_licenses=9_000)
    at = datetime.now(UTC) - timedelta(hours=1)
    for facet, facts in (("phone_number", {"number_type": "directRouting"}), ("voice", {"gateway": "sbc1.example"})):
        subjects = (f"user:u{n}" for n in range(8_000))
        await world.send((observation(subject, facet, facts, "big", at=at) for subject in subjects), array=500)
    await world.settled()
    assert 8_000 == world.counts()["big"].currently_licensed

    changing = asyncio.create_task(world.set("big", criteria={"licensed_users_by_gateway": "^other"}))
    live = [made_events(seed, 20, tenants=("acme",)) for seed in range(20)]
    for events in live:
        await world.send(events)
    await changing
    await world.count_of("big", currently_licensed=0, settings_revision=2)
    await world.settled()
    seen = {(c["settings_revision"], c["currently_licensed"]) for c in _counts(world, "big") if c["profiles"]}
    assert {(2, 0), (1, 8_000)} <= seen
    assert {0} == {licensed for revision, licensed in seen if revision == 2}
    assert 8_000 == sum(b'"kind":"rules"' in record.value for record in world.records["seat-changes"])
    assert 0 == await worker.stop()


def _counts(world: StreamsWorld, tenant: str) -> list[dict[str, Any]]:
    records = world.records["license-counts"]
    return [json.loads(record.value) for record in records if record.key == tenant.encode()]


async def test_a_removed_tenant_counts_nothing_refuses_events_and_begins_anew_when_it_is_set(
    world: StreamsWorld,
) -> None:
    worker = world.worker()
    await world.set("acme", acquired_licenses=10)
    await world.send(made_events(5, 400, tenants=("acme", "globex")))
    await world.settled()
    await world.set("acme", "remove")
    await world.count_of("acme", profiles={})
    late = observation("user:late", "interface", {}, "acme")
    key = subject_key("acme", "user:late")
    offset = await world.put("user-changes", world.place(key), json.dumps(late).encode(), key)

    async def letter() -> dict[str, bytes]:
        await world.read()
        return dict(world.records["dead-letters"][0].headers)

    headers = await eventually_async(letter)
    assert (b"tenant_removed", str(offset).encode()) == (headers["reason"], headers["offset"])
    await world.set("acme", acquired_licenses=20)
    await world.send([observation("user:new", "interface", {"change": "x"}, "acme")])
    await world.count_of("acme", currently_licensed=1, acquired_licenses=20)
    await world.settled()
    assert 0 == await worker.stop()


async def test_a_purged_tenant_is_gone_from_settings_and_counts(world: StreamsWorld) -> None:
    worker = world.worker()
    await world.set("acme", acquired_licenses=10)
    await world.send([observation(f"user:u{n}", "interface", {}, "acme") for n in range(50)])
    await world.count_of("acme", currently_licensed=50)
    await world.set("acme", "purge")

    async def gone() -> bool:
        await world.read()
        settings = [record.value for record in world.records["tenants"] if record.key == b"acme"]
        counts = [record.value for record in world.records["license-counts"] if record.key == b"acme"]
        return settings[-1] is None and counts[-1] is None

    await eventually_async(gone, 30)
    assert 0 == await worker.stop()
