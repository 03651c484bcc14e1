"""What an EventPublisher promises, asked of the one in memory and of the one over a real Kafka alike."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from collectors.errors import PublishFailedError
from collectors.partitioner import Record
from collectors.publisher import MAX_IN_FLIGHT, EventPublisher, KafkaPublisher, MemoryPublisher
from schemas.topics import TopicName
from tests.support.kafka_clients import create_topic, producer_of, read_all

PARTITIONS = 4
Stored = tuple[int, bytes | None, bytes | None]
"""Partition, key and value of a stored record."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A publisher, and how to look at what it has published to `assignments`, in the order of each partition."""

    publisher: EventPublisher
    stored: Callable[[int], Awaitable[list[Stored]]]


@pytest.fixture(params=["memory", "kafka"])
async def subject(request: pytest.FixtureRequest, prefix: str) -> AsyncIterator[Subject]:
    if request.param == "memory":
        memory = MemoryPublisher(PARTITIONS)

        async def kept(_count: int) -> list[Stored]:
            return [(r.partition, r.key, r.value) for r in memory.records if r.topic == "assignments"]

        yield Subject(memory, kept)
        return
    bootstrap = request.getfixturevalue("kafka").bootstrap
    await create_topic(bootstrap, prefix + "assignments", PARTITIONS)
    await create_topic(bootstrap, prefix + "user-changes", PARTITIONS)

    async def on_the_broker(count: int) -> list[Stored]:
        return [(r.partition, r.key, r.value) for r in await read_all(bootstrap, prefix + "assignments", count)]

    async with producer_of(bootstrap) as producer:
        yield Subject(KafkaPublisher(producer, prefix), on_the_broker)


def record(partition: int, value: bytes, topic: TopicName = "assignments") -> Record:
    return Record(topic, partition, b"acme/user:1", value, 1)


async def test_records_lie_in_the_partition_they_name_with_key_and_value(subject: Subject) -> None:
    for partition in (3, 0, 2):
        await subject.publisher.publish(record(partition, b"%d" % partition))
    await subject.publisher.flush()
    assert [(p, b"acme/user:1", b"%d" % p) for p in (0, 2, 3)] == sorted(await subject.stored(3))


async def test_a_partition_keeps_the_order_of_more_records_than_may_be_under_way(subject: Subject) -> None:
    values = [b"%d" % n for n in range(3 * MAX_IN_FLIGHT)]
    for value in values:
        await subject.publisher.publish(record(1, value))
    await subject.publisher.flush()
    assert values == [value for _, _, value in await subject.stored(len(values))]


async def test_flush_tells_the_highest_offset_of_each_topic_and_partition(subject: Subject) -> None:
    for _ in range(3):
        await subject.publisher.publish(record(1, b"x"))
    await subject.publisher.publish(record(2, b"x"))
    assert {("assignments", 1): 2, ("assignments", 2): 0} == await subject.publisher.flush()
    await subject.publisher.publish(record(1, b"x", "user-changes"))
    await subject.publisher.publish(record(1, b"x"))
    expected = {("assignments", 1): 3, ("assignments", 2): 0, ("user-changes", 1): 0}
    assert expected == await subject.publisher.flush()


async def test_flush_of_nothing_tells_nothing(subject: Subject) -> None:
    assert {} == await subject.publisher.flush()


async def test_a_partition_that_is_not_there_fails_with_words(subject: Subject) -> None:
    with pytest.raises(PublishFailedError, match=r"assignments.*partition"):
        await subject.publisher.publish(record(PARTITIONS, b"x"))


async def test_a_record_carries_the_time_it_is_sent_at(request: pytest.FixtureRequest, prefix: str) -> None:
    bootstrap = request.getfixturevalue("kafka").bootstrap
    await create_topic(bootstrap, prefix + "assignments", PARTITIONS)
    before = datetime.now(UTC) - timedelta(seconds=1)
    async with producer_of(bootstrap) as producer:
        publisher = KafkaPublisher(producer, prefix)
        await publisher.publish(record(0, b"x"))
        await publisher.flush()
    [stored] = await read_all(bootstrap, prefix + "assignments", 1)
    assert before <= datetime.fromtimestamp(stored.timestamp / 1000, UTC) <= datetime.now(UTC) + timedelta(seconds=1)


async def test_a_record_that_the_broker_refuses_fails_with_words(request: pytest.FixtureRequest, prefix: str) -> None:
    bootstrap = request.getfixturevalue("kafka").bootstrap
    await create_topic(bootstrap, prefix + "assignments", PARTITIONS)
    async with producer_of(bootstrap) as producer:
        publisher = KafkaPublisher(producer, prefix)
        with pytest.raises(PublishFailedError, match=r"did not take 1 events for .*assignments, partition 0"):
            await publisher.publish(record(0, b"x" * 3_000_000))
