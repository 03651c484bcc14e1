"""Owns the publishing of a run of events: grouped into records, sent in order, confirmed at the end."""

from collections.abc import Iterable

from collectors.partitioner import Outgoing, Partitioner
from collectors.publisher import EventPublisher, Offsets


async def publish_all(events: Iterable[Outgoing], publisher: EventPublisher, partitions: int) -> Offsets:
    """Publish events, wait until all are confirmed, return the highest offsets. Raises PublishFailedError."""
    partitioner = Partitioner(partitions)
    for event in events:
        for record in partitioner.add(event):
            await publisher.publish(record)
    for record in partitioner.drain():
        await publisher.publish(record)
    return await publisher.flush()
