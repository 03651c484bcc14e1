"""Each store from the other on a real broker: the same counts and facts, and a refusal where it would contradict."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from portal.services import utc_now
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.reload import latest_facets, newest_settings
from runtime.rebuilding import RebuildError, rebuild_kafka, rewind_sink
from runtime.settings import Kafka, Retention, Settings
from runtime.sink_process import store
from runtime.topics import TopicsError
from schemas.times import EPOCH, to_ms
from tests.support.command_line import run_cli
from tests.support.engine import ClickHouse, fresh_database
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import admin_of
from tests.support.made_events import made_events
from tests.support.streams_checks import check_counts
from tests.support.streams_world import PARTITIONS, StreamsWorld, open_world
from tests.support.waiting import eventually_async

FIGURES = {"currently_licensed", "acquired_licenses", "user_licenses", "dr_phone_licenses", "factors", "profiles"}


@contextlib.contextmanager
def migrated(clickhouse: ClickHouse) -> Iterator[ClientPool]:
    with (
        fresh_database(clickhouse) as made,
        ClientPool(lambda: clickhouse_connect.get_client(**clickhouse.connection, database=made.name)) as pool,
    ):
        migrate(pool, Retention())
        yield pool


@contextlib.asynccontextmanager
async def sink(world: StreamsWorld, pool: ClientPool) -> AsyncIterator[None]:
    storing = asyncio.create_task(store(Settings(kafka=kafka_of(world)), pool, 6.0))
    try:
        yield
    finally:
        storing.cancel()
        await asyncio.gather(storing, return_exceptions=True)


def kafka_of(world: StreamsWorld) -> Kafka:
    return Kafka(bootstrap=world.options.bootstrap, topic_prefix=world.options.prefix, partitions=PARTITIONS)


def figures(world: StreamsWorld) -> dict[str, object]:
    return {name: count.model_dump(include=FIGURES) for name, count in world.counts().items()}


async def stored(world: StreamsWorld, pool: ClientPool) -> None:
    """Wait until ClickHouse has every subject at the revision that was told last."""
    told: dict[str, int] = {}
    for record in world.records["seat-changes"]:
        if b'"seat_change"' in record.value:
            name = record.key.decode()
            told[name] = max(json.loads(record.value)["rev"], told.get(name, 0))

    async def has_all() -> bool:
        found = await asyncio.to_thread(lambda: {f"{s.tenant}/{s.subject}": s.rev for s in latest_facets(pool)})
        assert told == found
        assert newest_settings(pool)
        return True

    await eventually_async(has_all, 30)


async def test_kafka_comes_from_clickhouse_and_clickhouse_from_kafka(
    kafka: KafkaBroker, clickhouse: ClickHouse, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(kafka, f"{prefix}first.", tmp_path) as world:
        with migrated(clickhouse) as pool:
            async with sink(world, pool):
                worker = world.worker()
                await worker.ready()
                await world.set("acme", acquired_licenses=500)
                await world.send(made_events(5, 600), array=50)
                await world.settled()
                await stored(world, pool)
                with pytest.raises(RebuildError, match="cannot be set back while one of them runs: stop all sinks"):
                    await rewind_sink(kafka_of(world), utc_now())
            assert 0 == await worker.stop()
            with pytest.raises(RebuildError, match=r"hold something already \(.*license-counts.*delete the topics"):
                await rebuild_kafka(kafka_of(world), pool)
            with pytest.raises(TopicsError, match="make them with `poolwatch topics`"):
                await rebuild_kafka(kafka_of(world).model_copy(update={"topic_prefix": f"{prefix}none."}), pool)
            facts = list(latest_facets(pool))
            async with open_world(kafka, f"{prefix}second.", tmp_path) as second:
                rebuilt = await rebuild_kafka(kafka_of(second), pool)
                assert (len(world.counts()), sum(bool(each.facets) for each in facts)) == (
                    rebuilt.counts,
                    rebuilt.subjects,
                )
                again = second.worker("again")
                await again.ready()
                await second.read()
                assert figures(world) == figures(second)
                second.expected = world.expected
                await second.send(made_events(6, 50))

                async def counts_go_on() -> bool:
                    await second.read()
                    check_counts(second.records, second.expected)
                    return True

                await eventually_async(counts_go_on, 30)
                assert 0 == await again.stop()
        with migrated(clickhouse) as fresh:
            for name, value in (("BOOTSTRAP", kafka.bootstrap), ("TOPIC_PREFIX", world.options.prefix)):
                monkeypatch.setenv(f"POOLWATCH_KAFKA_{name}", value)
            monkeypatch.setenv("POOLWATCH_KAFKA_PARTITIONS", str(PARTITIONS))
            ended = await asyncio.to_thread(run_cli, "rebuild", "clickhouse")
            assert (0, "") == (ended.code, ended.err)
            assert "Kafka still has every change of a subject that was ever told" in ended.out
            async with sink(world, fresh):
                await stored(world, fresh)
            assert facts == list(latest_facets(fresh))
        cut = world.records["seat-changes"][0]
        async with admin_of(kafka.bootstrap) as admin:
            await admin.delete_records({TopicPartition(cut.topic, cut.partition): RecordsToDelete(cut.offset + 1)})

        async def no_sink_is_left() -> bool:
            assert cut.timestamp <= to_ms((await rewind_sink(kafka_of(world), utc_now())).whole_from or EPOCH)
            return True

        await eventually_async(no_sink_is_left)
