"""Small pieces of aiokafka that tests of brokers share: topics, records and offsets, each with a deadline."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.waiting import eventually_async


@contextlib.asynccontextmanager
async def admin_of(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@contextlib.asynccontextmanager
async def producer_of(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer as ours are: acknowledged by all, lz4."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="lz4")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def consumer_of(bootstrap: str, *topics: str, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer that reads from the beginning and commits only when told to."""
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=2000,  # the embedded broker makes a joining member wait for half of it
        rebalance_timeout_ms=6000,
        heartbeat_interval_ms=200,
    )
    await consumer.start()
    await asyncio.sleep(0)  # without a group, a consumer that is stopped before its first step raises CancelledError
    try:
        yield consumer
    finally:
        await consumer.stop()


async def create_topic(bootstrap: str, topic: str, partitions: int = 8) -> None:
    """Create a topic and return when its partitions have leaders. Raises AssertionError with the broker's answer."""
    async with admin_of(bootstrap) as admin:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1)])
        assert answer.topic_errors[0][1] == 0, answer

        async def led() -> bool:
            described = (await admin.describe_topics([topic]))[0]["partitions"]
            return len(described) == partitions and all(one["leader"] >= 0 for one in described)

        await eventually_async(led)


async def read_all(bootstrap: str, topic: str, count: int, deadline_s: float = 15.0) -> list[ConsumerRecord]:
    """Return the first `count` records of a topic, without a group, as partitions deliver them."""
    records: list[ConsumerRecord] = []
    async with consumer_of(bootstrap, topic) as consumer:

        async def enough() -> bool:
            for batch in (await consumer.getmany(timeout_ms=100)).values():
                records.extend(batch)
            return len(records) >= count

        await eventually_async(enough, deadline_s)
    return records


async def true_ends(consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return the next offset of each partition by its high watermark; the consumer (of no group) is assigned anew.

    `end_offsets` alone is too low on the embedded broker when the last record batch holds several records.
    """
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    asked = [tp for tp, end in ends.items() if end > 0]
    if not asked:
        return ends
    consumer.assign(asked)
    for tp in asked:
        consumer.seek(tp, ends[tp] - 1)

    async def told() -> bool:
        await consumer.getmany(timeout_ms=50)
        return all(consumer.highwater(tp) is not None for tp in asked)

    await eventually_async(told)
    return ends | {tp: consumer.highwater(tp) for tp in asked}


def partitions_of(topic: str, count: int = 8) -> list[TopicPartition]:
    """Return all partitions of a topic."""
    return [TopicPartition(topic, partition) for partition in range(count)]
