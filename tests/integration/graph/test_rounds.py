"""Rounds against a Graph over real HTTP: what was published always adds up to what the tenant is."""

from datetime import UTC, datetime
from random import Random

import msgspec
import pytest

from collectors.errors import PublishFailedError
from collectors.graph.api.errors import ForbiddenError, ResyncRequiredError
from collectors.graph.reading.rounds import Outlet, delta_round, full_round
from collectors.graph.reading.sources import Users
from collectors.partitioner import Record
from collectors.publisher import MemoryPublisher, Offsets
from tests.integration.graph.world import NUMBER_KINDS, World, at_random, hire
from tests.unit.collectors.importing import PARTITIONS, events_of


async def test_full_rounds_tell_what_the_tenant_is(world: World) -> None:
    for number in range(30):
        hire(world.acme, number, (*NUMBER_KINDS, None)[number % 4])
    world.acme.assign_number(world.acme.add_user(), "+33199002000", status="voiceApplicationAssigned")
    brought = await world.full_of_all()
    assert world.held() == world.counted()
    assert {"direct_routing", "operator_connect", "service_number"} == set(world.counted().values())
    syncs = [sync for each in brought for sync in each.syncs if sync.seen]
    assert {"completed"} == {sync.status for sync in syncs}
    assert {"directory", "voice", "phone_number", "service_number"} <= {sync.facet for sync in syncs}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_and_whatever_fails_the_count_is_the_tenants_once_it_is_quiet(
    world: World, seed: int
) -> None:
    chance, faults, path = Random(seed), world.graph.faults, "/v1.0"
    for number in range(25):
        hire(world.acme, number, chance.choice((*NUMBER_KINDS, None)))
    link = (await world.full_of_all())[0].delta_link
    for turn in range(12):
        at_random(world.acme, chance, turn)
        match chance.randrange(5):
            case 0:
                faults.throttle(1, path=path)
            case 1:
                faults.fail(1, 503, path=path)
            case 2:
                faults.damage(1, "broken_json", path=path)
            case 3:
                faults.between_pages(lambda: at_random(world.acme, chance, 100 + turn))  # noqa: B023
            case _:
                world.graph.sign_in.revoke(world.acme.ms_tenant_id)
        assert link is not None
        link = (await delta_round(world.client, world.tenant, Users({}), world.outlet, link)).delta_link
    faults.clear()
    await world.full_of_all()
    await world.full_of_all()  # where many have gone the guard holds the first
    assert world.held() == world.counted()


async def test_a_delta_round_tells_what_changed_and_confirms_the_rest(world: World) -> None:
    user = hire(world.acme, 1, None)
    hire(world.acme, 2, None)
    link = (await world.full(Users({}))).delta_link
    assert link is not None
    before = len(events_of(world.published))
    world.acme.change_user(user, accountEnabled=False)
    brought = await delta_round(world.client, world.tenant, Users({}), world.outlet, link)
    told = events_of(world.published)[before:]
    assert {f"user:{user}"} == {event["subject"] for event in told if "subject" in event}
    confirmed = [event["facet"] for event in told if event["type"] == "facet_confirmed"]
    assert {"directory": PARTITIONS, "subscription": PARTITIONS} == {
        facet: confirmed.count(facet) for facet in confirmed
    }
    assert brought.delta_link not in (None, link)


async def test_an_expired_link_asks_for_a_full_round(world: World) -> None:
    hire(world.acme, 1, None)
    link = (await world.full(Users({}))).delta_link
    assert link is not None
    world.graph.faults.expire_delta_tokens(world.acme.ms_tenant_id)
    with pytest.raises(ResyncRequiredError):
        await delta_round(world.client, world.tenant, Users({}), world.outlet, link)


async def test_a_round_that_is_cut_short_sweeps_nothing(world: World) -> None:
    for number in range(3):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    world.acme.permissions.clear()
    with pytest.raises(ForbiddenError):
        await world.full(Users({}))
    assert counted == world.counted()


async def test_an_empty_answer_does_not_empty_a_tenant(world: World) -> None:
    for number in range(40):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    for released in sorted(world.acme.numbers):
        world.acme.release_number(released)
    emptied = (await world.full_of_all())[2]
    assert {"empty"} == {sync.status for sync in emptied.syncs}
    assert counted == world.counted()


async def test_most_gone_at_once_is_held_until_seen_again(world: World) -> None:
    for number in range(40):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    for released in sorted(world.acme.numbers)[5:]:
        world.acme.release_number(released)
    held = (await world.full_of_all())[2]
    assert "held" in {sync.status for sync in held.syncs}
    assert counted == world.counted()
    await world.full_of_all()
    assert world.held() == world.counted()
    assert 5 == len(world.counted())


async def test_what_the_broker_did_not_take_completes_nothing(world: World) -> None:
    class Refusing(MemoryPublisher):
        async def flush(self) -> Offsets:
            raise PublishFailedError("the broker did not take it")

    hire(world.acme, 1, "directRouting")
    outlet = Outlet(Refusing(PARTITIONS), PARTITIONS, world.history, lambda: datetime.now(UTC))
    with pytest.raises(PublishFailedError):
        await full_round(world.client, world.tenant, Users({}), outlet)
    records: list[Record] = outlet.publisher.records  # type: ignore[attr-defined]
    assert not any("sync_completed" in str(msgspec.json.decode(record.value)) for record in records)
