"""The same in short on the embedded broker, which knows no idempotent producer and tells the ends of topics wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kafka_broker import EmbeddedKafka
from tests.support.made_events import made_events
from tests.support.streams_world import open_world


@pytest.fixture
def embedded() -> Iterator[EmbeddedKafka]:
    broker = EmbeddedKafka()
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


async def test_events_are_counted_on_the_embedded_broker_over_a_restart_of_the_worker(
    embedded: EmbeddedKafka, prefix: str, tmp_path: Path
) -> None:
    async with open_world(embedded, prefix, tmp_path, session_timeout_s=2) as world:
        worker = world.worker()
        await worker.ready()
        assert 1 == (await world.set("acme", acquired_licenses=50)).revision
        await world.send(made_events(31, 800))
        await world.send(made_events(32, 800), array=50)
        await world.settled()
        assert 0 == await worker.stop()
        await world.send(made_events(33, 200))
        again = world.worker("again")
        assert 2 == (await world.set("acme", acquired_licenses=60)).revision
        await world.settled()
        assert 0 == await again.stop()
