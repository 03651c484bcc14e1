"""Owns the publishing of a run of events: grouped into records, sent in order, confirmed at the end."""

from collections.abc import Iterable

from collectors.partitioner import Outgoing, Partitioner
from collectors.publisher import EventPublisher, Offsets


class Feed:
    """Takes events one by one. All of its methods raise PublishFailedError."""

    def __init__(self, publisher: EventPublisher, partitions: int) -> None:
        self._publisher = publisher
        self._partitioner = Partitioner(partitions)

    async def send(self, event: Outgoing) -> None:
        """Take an event, and send the records that it filled."""
        for record in self._partitioner.add(event):
            await self._publisher.publish(record)

    async def drain(self) -> None:
        """Send what is held."""
        for record in self._partitioner.drain():
            await self._publisher.publish(record)

    async def settle(self) -> Offsets:
        """Send what is held, wait until all is confirmed, return the highest offsets."""
        await self.drain()
        return await self._publisher.flush()


async def publish_all(events: Iterable[Outgoing], publisher: EventPublisher, partitions: int) -> Offsets:
    """Publish events, wait until all are confirmed, return the highest offsets. Raises PublishFailedError."""
    feed = Feed(publisher, partitions)
    for event in events:
        await feed.send(event)
    return await feed.settle()
