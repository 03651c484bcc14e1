"""Owns the wait at the end of an embedded stack: until the sink has stored what its topics hold."""

import asyncio
import contextlib

from aiokafka import TopicPartition

from runtime import kafka
from runtime.installation import sink_group
from runtime.settings import Kafka
from schemas.topics import full_name
from streams.kafka import ends_of
from streams.sink.sink import TOPICS

_POLL_S = 0.05


async def stored(own: Kafka, deadline_s: float) -> bool:
    """Wait until the sink has stored what is there now; return False if that took too long."""
    try:
        async with asyncio.timeout(deadline_s):
            await _until_stored(own)
    except TimeoutError:
        return False
    return True


async def _until_stored(own: Kafka) -> None:
    async with contextlib.AsyncExitStack() as stack:
        admin, consumer = kafka.admin(own), kafka.reader(own)
        stack.push_async_callback(admin.close)
        await admin.start()
        stack.push_async_callback(consumer.stop)
        await consumer.start()
        tps = [
            TopicPartition(full_name(own.topic_prefix, topic), partition)
            for topic in TOPICS
            for partition in range(own.partitions)
        ]
        ends = await ends_of(consumer, tps, exact=False)
        while not await _committed(admin, sink_group(own.topic_prefix), ends):  # noqa: ASYNC110 -- no event here
            await asyncio.sleep(_POLL_S)


async def _committed(admin: object, group: str, ends: dict[TopicPartition, int]) -> bool:
    committed = await admin.list_consumer_group_offsets(group, partitions=list(ends))  # type: ignore[attr-defined]
    return all(end == 0 or (tp in committed and committed[tp].offset >= end) for tp, end in ends.items())
