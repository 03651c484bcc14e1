"""kill -9 under load, brokers that go away, workers that come and go, events twice and shuffled: nothing is lost."""

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from tests.fault.feeding import feed
from tests.support.kafka_broker import KafkaBroker
from tests.support.made_events import made_events
from tests.support.streams_world import StreamsWorld, open_world

SEEDS = range(int(os.environ.get("POOLWATCH_FAULT_SEEDS", "1")))
"""More of them make the same tests look longer: the moments of crashes and the events are other ones."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_worker_killed_in_mid_batch_again_and_again(world: StreamsWorld, seed: int) -> None:
    chance = random.Random(seed)
    feeding = asyncio.create_task(feed(world, seed, rounds=120))
    for turn in range(3):
        worker = world.worker(f"victim{turn}", fault=f"4-keep:before:kill:{chance.randrange(2, 12)}")
        assert -signal.SIGKILL == await worker.ended(60)
    last = world.worker("last")
    await last.ready()
    await feeding
    await world.settled(90)
    assert 0 == await last.stop()


@pytest.mark.parametrize("seed", SEEDS)
async def test_meter_and_counter_killed_from_outside_under_load(world: StreamsWorld, seed: int) -> None:
    chance = random.Random(seed)
    feeding = asyncio.create_task(feed(world, 50 + seed, rounds=120))
    for turn in range(2):
        workers = [world.worker(f"{role}{turn}", (role,)) for role in ("meter", "counter")]
        for worker in workers:
            await worker.ready()
        await asyncio.sleep(chance.uniform(0, 1))
        for worker in workers:
            worker.kill()
    last = world.worker("last")
    await last.ready()
    await feeding
    await world.settled(90)
    assert 0 == await last.stop()


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_event_twice_and_shuffled(world: StreamsWorld, seed: int) -> None:
    worker = world.worker()
    events = list(made_events(70 + seed, 2_000)) * 2
    random.Random(seed).shuffle(events)
    await world.send(events[:1_500])
    await world.send(events[1_500:], array=100)
    await world.settled()
    assert 0 == await worker.stop()


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_second_meter_comes_in_mid_stream_and_the_first_goes_later(world: StreamsWorld, seed: int) -> None:
    counter = world.worker("counter", ("counter",))
    first = world.worker("first", ("meter",))
    feeding = asyncio.create_task(feed(world, 80 + seed, rounds=150))
    await first.ready()
    second = world.worker("second", ("meter",))
    await second.ready()
    assert 0 == await first.stop(), first.text()[-3_000:]
    await feeding
    await world.settled(90)
    assert [0, 0] == [await second.stop(), await counter.stop()]


@pytest.mark.parametrize("seed", SEEDS)
async def test_quick_restarts_and_rebalances_while_events_come_in(world: StreamsWorld, seed: int) -> None:
    chance = random.Random(seed)
    counter = world.worker("counter", ("counter",))
    feeding = asyncio.create_task(feed(world, 90 + seed, rounds=250))
    steady = world.worker("steady", ("meter",))
    for turn in range(5):
        passing = world.worker(f"passing{turn}", ("meter",))
        await passing.ready()
        if chance.random() < 0.5:
            assert 0 == await passing.stop()
        else:
            passing.kill()
    await feeding
    await world.settled(90)
    assert [0, 0] == [await steady.stop(), await counter.stop()]


async def test_a_broker_that_stops_and_comes_back_is_waited_for(
    disposable_kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    if not disposable_kafka.durable:
        pytest.skip(f"{disposable_kafka.name} forgets its records when it stops")
    async with open_world(disposable_kafka, prefix, tmp_path) as world:
        worker = world.worker()
        await worker.ready()
        feeding = asyncio.create_task(feed(world, 7, rounds=60, pause_s=0.1))
        await world.count_of("acme")
        await asyncio.to_thread(disposable_kafka.stop)
        await asyncio.to_thread(disposable_kafka.start)
        await feeding
        await world.settled(90)
        assert worker.alive
        assert 0 == await worker.stop()


@pytest.mark.parametrize("loses", [2, 3])
async def test_batches_that_vanish_between_fetch_and_agent_are_not_lost(world: StreamsWorld, loses: int) -> None:
    worker = world.worker(loses=loses)
    await feed(world, 60 + loses, rounds=100)
    await world.settled(90)
    assert worker.logs("batch_vanished")
    assert worker.logs("gap_read")
    assert 0 == await worker.stop()
