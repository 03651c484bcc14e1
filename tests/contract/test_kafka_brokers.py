"""What Poolwatch asks of any Kafka, asked of the broker of the run and of the embedded one alike."""

from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition

from tests.support.kafka_broker import EmbeddedKafka, KafkaBroker
from tests.support.kafka_clients import (
    admin_of,
    consumer_of,
    create_topic,
    partitions_of,
    producer_of,
    read_all,
    true_ends,
)


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedKafka]:
    broker = EmbeddedKafka()
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


@pytest.fixture(params=["run", "embedded"])
def bootstrap(request: pytest.FixtureRequest) -> str:
    broker: KafkaBroker = request.getfixturevalue("kafka" if request.param == "run" else "embedded")
    return broker.bootstrap


async def test_a_topic_has_the_partitions_it_was_created_with(bootstrap: str, prefix: str) -> None:
    await create_topic(bootstrap, prefix + "seats", partitions=8)

    async with admin_of(bootstrap) as admin:
        described = (await admin.describe_topics([prefix + "seats"]))[0]

    assert [one["partition"] for one in described["partitions"]] == list(range(8))


async def test_a_keyed_record_comes_back_as_it_was_sent(bootstrap: str, prefix: str) -> None:
    await create_topic(bootstrap, prefix + "seats")

    async with producer_of(bootstrap) as producer:
        await producer.send_and_wait(
            prefix + "seats", b'{"n":1}', key=b"acme/user:1", partition=3, headers=[("hop", b"1")]
        )
        await producer.send_and_wait(prefix + "seats", None, key=b"acme/user:1", partition=3)
    first, tombstone = await read_all(bootstrap, prefix + "seats", count=2)

    assert (first.key, first.value, first.partition, first.offset) == (b"acme/user:1", b'{"n":1}', 3, 0)
    assert first.headers == (("hop", b"1"),)
    assert (tombstone.value, tombstone.offset) == (None, 1)


async def test_committed_offsets_are_found_by_the_next_member_and_by_the_admin(bootstrap: str, prefix: str) -> None:
    topic, group = prefix + "seats", prefix + "meter"
    await create_topic(bootstrap, topic)
    async with producer_of(bootstrap) as producer:
        for _ in range(5):
            await producer.send_and_wait(topic, b"x", key=b"k", partition=3)

    async with consumer_of(bootstrap, topic, group=group) as consumer:
        await consumer.commit({TopicPartition(topic, 3): 4})
    async with consumer_of(bootstrap, topic, group=group) as consumer:
        committed = await consumer.committed(TopicPartition(topic, 3))
        position = await consumer.position(TopicPartition(topic, 3))
    async with admin_of(bootstrap) as admin:
        # Without `partitions` the embedded broker closes the connection.
        offsets = await admin.list_consumer_group_offsets(group, partitions=partitions_of(topic))

    assert (4, 4) == (committed, position)
    assert [-1, -1, -1, 4, -1, -1, -1, -1] == [offsets[tp].offset for tp in partitions_of(topic)]


@pytest.fixture
async def uneven_topic(bootstrap: str, prefix: str) -> str:
    """A topic whose partition 2 ends in a batch of ten records, and partition 5 in a batch of one."""
    await create_topic(bootstrap, prefix + "seats")
    async with producer_of(bootstrap) as producer:
        for partition, count in ((2, 10), (5, 1)):
            batch = producer.create_batch()
            for _ in range(count):
                batch.append(key=b"k", value=b"x", timestamp=None)
            await (await producer.send_batch(batch, prefix + "seats", partition=partition))
    return prefix + "seats"


async def test_the_high_watermark_of_a_fetch_tells_how_far_a_topic_goes(bootstrap: str, uneven_topic: str) -> None:
    async with consumer_of(bootstrap) as consumer:
        ends = await true_ends(consumer, partitions_of(uneven_topic))

    assert {2: 10, 5: 1} == {tp.partition: end for tp, end in ends.items() if end}


async def test_end_offsets_alone_do_so_on_apache_kafka_only(
    request: pytest.FixtureRequest, bootstrap: str, uneven_topic: str, kafka: KafkaBroker
) -> None:
    embedded = request.node.callspec.params["bootstrap"] == "embedded" or not kafka.durable

    async with consumer_of(bootstrap) as consumer:
        ends = await consumer.end_offsets(partitions_of(uneven_topic))

    # When this turns 10, the embedded broker has learnt it, and reading to the end can be simpler.
    assert {2: 1 if embedded else 10, 5: 1} == {tp.partition: end for tp, end in ends.items() if end}
