"""A clean stop: nothing half written, the group left at once, everything committed."""

import signal
import time
from pathlib import Path

import pytest

from tests.support.kafka_broker import KafkaBroker
from tests.support.made_events import made_events
from tests.support.streams_checks import claims
from tests.support.streams_world import StreamsWorld, open_world


async def test_the_next_worker_need_not_wait_for_the_session_of_one_that_was_stopped(
    kafka: KafkaBroker, prefix: str, tmp_path: Path
) -> None:
    async with open_world(kafka, prefix, tmp_path, session_timeout_s=60) as world:
        first = world.worker("first")
        await first.ready()
        await world.send(made_events(11, 2_000), array=20)
        assert 0 == await first.stop()
        begin = time.monotonic()
        second = world.worker("second")
        await second.ready(30)
        assert time.monotonic() - begin < 30
        await world.settled()
        assert 0 == await second.stop()


async def test_partitions_go_back_and_forth_between_two_workers_that_come_and_go(world: StreamsWorld) -> None:
    first = world.worker("first")
    await first.ready()
    await world.send(made_events(12, 1_000))
    second = world.worker("second")
    await second.ready()
    assert {"partition_recovered"} <= {line["event"] for line in second.logs()}
    await world.send(made_events(13, 1_000), array=10)
    await world.settled()
    assert 0 == await first.stop()
    await world.send(made_events(14, 1_000))
    await world.settled()
    assert 0 == await second.stop()
    assert claims(world.records) > world.options.partitions


@pytest.mark.parametrize("moment", ["counter_ready", "partition_recovered"])
async def test_a_worker_that_is_told_to_stop_while_it_starts_ends_cleanly(world: StreamsWorld, moment: str) -> None:
    await world.send(made_events(15, 500))
    worker = world.worker("hasty")
    await worker.logged(moment)
    assert 0 == await worker.stop()
    patient = world.worker("patient")
    await patient.ready()
    await world.settled()
    assert 0 == await patient.stop()


async def test_workers_stopped_in_the_middle_of_a_rebalance_end_cleanly(world: StreamsWorld) -> None:
    first, second = world.worker("first", ("meter",)), world.worker("second", ("meter",))
    await world.send(made_events(16, 500))
    await first.logged("partition_recovered")
    first.terminate()
    second.terminate()
    assert {await first.ended(), await second.ended()} <= {0, -signal.SIGTERM}  # the second may not have begun
    last = world.worker("last")
    await last.ready()
    await world.settled()
    assert 0 == await last.stop()
