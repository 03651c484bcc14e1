"""Rows a second from the topic of seat changes into ClickHouse in process, confirmed and committed."""

import asyncio
from collections.abc import Iterator

from aiokafka import TopicPartition

from runtime import kafka
from runtime.installation import sink_group
from schemas.topics import full_name
from tests.bench.events import PARTITIONS
from tests.bench.figures import Figure
from tests.bench.progress import measure_rate
from tests.bench.stage import Stage


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the rate on the seat changes that a meter has told of all single events."""
    if not stage.filled:
        raise LookupError("needs the seat changes of the measurement `throughput`: name both by --only")
    prefix = stage.filled[-1]
    ends = asyncio.run(_ends(stage, prefix))
    with stage.child("sink", prefix=prefix) as child:
        rate = measure_rate(child, stage.broker.bootstrap, sink_group(prefix), ends, 1, 180.0)
    words = f"{sum(ends.values()):,} seat changes into chDB"
    yield Figure("sink, consume to commit", rate.per_second, "rows/s", bar=60_000, aim=200_000, note=words)


async def _ends(stage: Stage, prefix: str) -> dict[TopicPartition, int]:
    consumer = kafka.reader(stage.kafka(prefix))
    await consumer.start()
    try:
        topic = full_name(prefix, "seat-changes")
        return dict(await consumer.end_offsets([TopicPartition(topic, number) for number in range(PARTITIONS)]))
    finally:
        await consumer.stop()
