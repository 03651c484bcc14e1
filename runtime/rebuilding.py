"""Owns the rebuild of one store from the other on a cluster: Kafka from ClickHouse, into topics that hold nothing, and
ClickHouse from Kafka, by sending the sink back to the beginning.

The embedded stack does the first at every start, and cannot do the second: its broker keeps nothing.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime import kafka, topics
from runtime.broker_check import why_not
from runtime.clickhouse.pool import ClientPool
from runtime.embedded.rebuild import Rebuilt, rebuild
from runtime.installation import sink_group
from runtime.settings import Kafka
from schemas.times import from_ms
from schemas.topics import TOPICS, TopicName, full_name
from streams.kafka import ends_of
from streams.sink.sink import TOPICS as STORED

_KEPT_APART: tuple[TopicName, ...] = ("user-changes", "assignments", "sources", "dead-letters")
"""What may lie in these already: events that nobody has counted yet, and what collectors told of themselves."""
_FIRST_RECORD_MS = 5_000


class RebuildError(Exception):
    """Nothing was rebuilt; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Rewound:
    """The sink's place was set back. `records`: what it will read again; `whole_from`: from when on every change of a
    subject is still in Kafka, None where all that ever were are."""

    records: int
    whole_from: datetime | None


async def rebuild_kafka(own: Kafka, pool: ClientPool) -> Rebuilt:
    """Fill the topics from ClickHouse. Nobody may count meanwhile. Raises RebuildError and topics.TopicsError."""
    async with _consumer(own, None) as consumer:
        admin = kafka.admin(own)
        try:
            await admin.start()
            existing = await topics.describe(admin, own.topic_prefix)
        finally:
            await admin.close()
        topics.refuse_missing(existing, own.topic_prefix)
        topics.refuse_others(existing, own.partitions)
        names: list[TopicName] = [name for name in TOPICS if name not in _KEPT_APART]
        ends = await ends_of(consumer, _partitions(own, names), exact=True)
    filled = sorted({place.topic for place, end in ends.items() if end > 0})
    if filled:
        raise RebuildError(
            f"the topics hold something already ({', '.join(filled)}), and a rebuild would contradict it: stop all"
            " processes, delete the topics, make them with `poolwatch topics`, and try again; or use another"
            " POOLWATCH_KAFKA_TOPIC_PREFIX"
        )
    producer = kafka.producer(own)
    try:
        await producer.start()
        return await rebuild(pool, producer, own.topic_prefix, own.partitions)
    finally:
        await producer.stop()


async def rewind_sink(own: Kafka, now: datetime) -> Rewound:
    """Let the next sink read its topics from their beginning. Raises RebuildError where one runs."""
    async with _consumer(own, sink_group(own.topic_prefix)) as consumer:
        places = _partitions(own, STORED)
        consumer.assign(places)
        beginnings = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        whole_from = await _whole_from(consumer, own, beginnings, ends, now)
        try:
            await consumer.commit(beginnings)
        except KafkaError as error:
            raise RebuildError(
                f"the place of the sinks (group {sink_group(own.topic_prefix)}) cannot be set back while one of them"
                f" runs: stop all sinks, wait until the broker has missed them (some seconds), and try again ({error})"
            ) from error
    return Rewound(sum(ends[place] - beginnings[place] for place in places), whole_from)


async def _whole_from(
    consumer: AIOKafkaConsumer,
    own: Kafka,
    beginnings: dict[TopicPartition, int],
    ends: dict[TopicPartition, int],
    now: datetime,
) -> datetime | None:
    """Return when the first change that is left was recorded, of the partition that has lost most."""
    cut = {place for place in _partitions(own, ["seat-changes"]) if beginnings[place] > 0}
    if any(beginnings[place] == ends[place] for place in cut):
        return now
    instants = []
    for place in cut:
        consumer.assign([place])
        consumer.seek(place, beginnings[place])
        found = await consumer.getmany(place, timeout_ms=_FIRST_RECORD_MS, max_records=1)
        records = found.get(place)
        if not records:
            raise RebuildError(f"{place.topic} cannot be read: see whether the broker is well, and try again")
        instants.append(from_ms(records[0].timestamp))
    consumer.assign(list(beginnings))
    return max(instants, default=None)


@contextlib.asynccontextmanager
async def _consumer(own: Kafka, group: str | None) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **kafka.connection(own), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
    except (KafkaError, OSError) as error:
        await consumer.stop()
        raise RebuildError(str(await why_not(own, error))) from error
    try:
        yield consumer
    finally:
        await consumer.stop()


def _partitions(own: Kafka, names: "list[TopicName] | tuple[TopicName, ...]") -> list[TopicPartition]:
    return [
        TopicPartition(full_name(own.topic_prefix, name), partition)
        for name in names
        for partition in range(own.partitions)
    ]
