"""A meter frozen in step 4 and woken after another took over: its late write does no harm, and it ends."""

import asyncio

import pytest

from tests.fault.feeding import feed
from tests.support.made_events import made_events
from tests.support.streams_world import StreamsWorld

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

    zombie.wake()
    assert 1 == await zombie.ended(60)
    (failure,) = zombie.logs("worker_failed")
    assert "SupersededError" == failure["error"]
    await world.send(made_events(24, EVENTS), array=5)
    await world.settled(90)
    assert [0, 0] == [await heir.stop(), await counter.stop()]
