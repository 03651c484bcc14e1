"""The making of topics on a real broker."""

import pytest

from runtime import kafka as clients
from runtime import topics
from runtime.settings import Kafka
from schemas.topics import TOPICS, full_name
from tests.support.kafka_broker import KafkaBroker
from tests.support.kafka_clients import admin_of


async def test_topics_are_made_once_and_then_left_alone(kafka: KafkaBroker, prefix: str) -> None:
    async with admin_of(kafka.bootstrap) as admin:
        first = await topics.ensure(admin, prefix, 3)
        second = await topics.ensure(admin, prefix, 3)
    assert {full_name(prefix, name) for name in TOPICS} == {state.name for state in first}
    assert [(3, True)] * len(TOPICS) == [(state.partitions, state.made) for state in first]
    assert [False] * len(TOPICS) == [state.made for state in second]


async def test_topics_with_another_number_of_partitions_are_refused_by_name(kafka: KafkaBroker, prefix: str) -> None:
    async with admin_of(kafka.bootstrap) as admin:
        await topics.ensure(admin, prefix, 3)
        with pytest.raises(topics.TopicsError) as caught:
            await topics.ensure(admin, prefix, 4)
    assert f"{prefix}tallies has 3" in str(caught.value)
    assert "POOLWATCH_KAFKA_PARTITIONS" in str(caught.value)


async def test_more_replicas_than_brokers_are_told(kafka: KafkaBroker, prefix: str) -> None:
    async with admin_of(kafka.bootstrap) as admin:
        with pytest.raises(topics.TopicsError, match="POOLWATCH_KAFKA_REPLICATION_FACTOR"):
            await topics.ensure(admin, prefix, 1, replication_factor=30)


async def test_the_clients_of_the_settings_reach_the_broker(kafka: KafkaBroker, prefix: str) -> None:
    admin = clients.admin(Kafka(bootstrap=kafka.bootstrap))
    await admin.start()
    try:
        assert await topics.describe(admin, prefix) == {}
    finally:
        await admin.close()
