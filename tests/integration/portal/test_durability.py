"""Where the broker forgets, done means that meter and sink have passed it: seen by the offsets they commit."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition

from portal.kafka.durability import SinkKeeps
from portal.services import NotDurable
from runtime import kafka as clients
from runtime.installation import Ends
from schemas.identifiers import partition_of
from schemas.topics import TopicName, full_name
from tests.support.portal_world import PARTITIONS, World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Committing:
    """Commits offsets as the meter and the sink do."""

    world: World
    tenant: str

    def group(self, name: str) -> str:
        return f"{self.world.kafka.topic_prefix}{self.tenant}-{name}"

    async def commit(self, group: str, topic: TopicName, partition: int, offset: int) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.world.kafka.bootstrap, group_id=self.group(group), enable_auto_commit=False
        )
        await consumer.start()
        try:
            place = TopicPartition(full_name(self.world.kafka.topic_prefix, topic), partition)
            consumer.assign([place])
            await consumer.commit({place: offset})
        finally:
            await consumer.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def parts(world: World, tenant: str) -> AsyncIterator[tuple[SinkKeeps, Committing]]:
    committing = Committing(world, tenant)
    admin, consumer = clients.admin(world.kafka), clients.reader(world.kafka)
    await admin.start()
    await consumer.start()
    groups = (committing.group("meter"), committing.group("sink"))
    yield SinkKeeps(admin, Ends(consumer), world.kafka.topic_prefix, PARTITIONS, *groups, timeout_s=8), committing
    await consumer.stop()
    await admin.close()


async def test_events_are_done_once_the_sink_has_stored_what_the_meter_told(world: World, parts: Any) -> None:
    keeps, committing = parts
    name = full_name(world.kafka.topic_prefix, "seat-changes")
    told = await world.producer.send_and_wait(name, b"{}", partition=2)
    waiting = asyncio.create_task(keeps.events({("assignments", 2): 4}))
    await committing.commit("sink", "seat-changes", 2, told.offset + 1)
    await committing.commit("meter", "assignments", 2, 4)
    assert not waiting.done(), "the meter has not passed the event at offset 4"
    await committing.commit("meter", "assignments", 2, 5)
    await waiting


async def test_settings_are_done_once_the_sink_has_stored_them(world: World, tenant: str, parts: Any) -> None:
    keeps, committing = parts
    partition = partition_of(tenant.encode(), PARTITIONS)
    name = full_name(world.kafka.topic_prefix, "tenants")
    told = await world.producer.send_and_wait(name, None, key=tenant.encode(), partition=partition)
    waiting = asyncio.create_task(keeps.settings(tenant))
    await committing.commit("sink", "tenants", partition, told.offset)
    assert not waiting.done()
    await committing.commit("sink", "tenants", partition, told.offset + 1)
    await waiting


async def test_nothing_written_waits_for_nobody(parts: Any) -> None:
    await parts[0].events({})


async def test_a_sink_that_does_not_follow_is_told(world: World, tenant: str, parts: Any) -> None:
    keeps, _ = parts
    keeps._timeout_s = 0.3
    with pytest.raises(NotDurable, match="the meter has not stored it within"):
        await keeps.events({("assignments", 0): 10})
