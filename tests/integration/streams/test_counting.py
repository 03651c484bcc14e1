"""Meter and counter as processes on a real broker: events in, counts, changes and answers out."""

from tests.support.made_events import made_events
from tests.support.streams_checks import seat_changes
from tests.support.streams_world import StreamsWorld


async def test_events_come_out_as_a_recount_has_them_and_a_second_start_changes_nothing(world: StreamsWorld) -> None:
    await world.send(made_events(1, 1_500))
    worker = world.worker()
    await worker.ready()
    await world.send(made_events(2, 1_500), array=100)
    await world.settled()
    assert 0 == await worker.stop()
    told, counts = len(seat_changes(world.records["seat-changes"])), world.counts()

    again = world.worker("again")
    await again.ready()
    await world.settled()
    assert 0 == await again.stop()
    await world.read()
    assert told == len(seat_changes(world.records["seat-changes"]))
    assert {tenant: count.profiles for tenant, count in counts.items()} == {
        tenant: count.profiles for tenant, count in world.counts().items()
    }


async def test_a_counter_publishes_what_it_finds_without_waiting_for_the_next_tally(world: StreamsWorld) -> None:
    meter = world.worker("meter", ("meter",))
    await world.send(made_events(3, 200))
    await world.kept()
    assert 0 == await meter.stop()
    counter = world.worker("counter", ("counter",))
    await world.settled()
    assert 0 == await counter.stop()
