"""A meter frozen in step 4 and woken after another took over: its late write does no harm, and it ends or rejoins."""

import asyncio

import pytest

from tests.fault.feeding import feed
from tests.support.made_events import made_events
from tests.support.streams_checks import recovered
from tests.support.streams_world import StreamsWorld
from tests.support.waiting import eventually_async

EVENTS = 1_000


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_meter_that_sleeps_at_its_write_and_wakes_superseded_does_no_harm(
    world: StreamsWorld, place: str
) -> None:
    counter = world.worker("counter", ("counter",))
    zombie = world.worker("zombie", ("meter",), fault=f"4-keep:{place}:stop:3")
    await zombie.ready()
    feeding = asyncio.create_task(feed(world, 21))
    await zombie.frozen()
    await feeding
    await world.send(made_events(22, EVENTS), array=5)
    heir = world.worker("heir", ("meter",))
    await heir.ready()
    await world.send(made_events(23, EVENTS), array=5)
    await world.settled(90)

    ready_before = len(zombie.logs("worker_ready"))
    zombie.wake()

    async def ended_or_rejoined() -> bool:
        return not zombie.alive or len(zombie.logs("worker_ready")) > ready_before

    await eventually_async(ended_or_rejoined, 60)
    await world.send(made_events(24, EVENTS), array=5)
    await world.settled(90)
    if zombie.alive:
        assert 0 == await zombie.stop()
    else:
        assert 1 == await zombie.ended()
        assert zombie.logs("worker_failed")
    assert recovered(world.records)
    assert [0, 0] == [await heir.stop(), await counter.stop()]
