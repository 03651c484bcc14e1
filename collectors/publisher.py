"""Owns the way of records to Kafka: a port, its Kafka implementation, and one in memory that ships with the product."""

import asyncio
from collections import deque
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from collectors.errors import PublishFailedError
from collectors.partitioner import Record
from schemas import traces
from schemas.topics import TopicName, full_name

MAX_IN_FLIGHT = 64
"""Records sent and not confirmed: bounds memory to about 16 MiB, and is enough to keep every broker busy."""

Offsets = dict[tuple[TopicName, int], int]
"""The highest offset that was confirmed, by short topic name and partition."""


class EventPublisher(Protocol):
    """Takes records for Kafka, each for the partition that it names, in order."""

    async def publish(self, record: Record) -> None:
        """Send a record; waits while too much is on its way. Raises PublishFailedError, also for an earlier record."""

    async def flush(self) -> Offsets:
        """Wait until all that was sent is confirmed. Raises PublishFailedError if something was not."""


class KafkaPublisher:
    """Publishes through an aiokafka producer that the caller starts and stops. Records carry the time they are sent
    at."""

    def __init__(self, producer: Any, topic_prefix: str) -> None:
        self._producer = producer
        self._prefix = topic_prefix
        self._in_flight: deque[tuple[Record, asyncio.Future[Any]]] = deque()
        self._offsets: Offsets = {}

    async def publish(self, record: Record) -> None:
        while len(self._in_flight) >= MAX_IN_FLIGHT:
            await self._settle_oldest()
        topic = full_name(self._prefix, record.topic)
        try:
            future = await self._producer.send(
                topic, record.value, key=record.key, partition=record.partition, headers=list(traces.headers())
            )
        except (KafkaError, AssertionError) as error:  # aiokafka asserts that a partition exists
            raise self._failure(record, error) from error
        future.add_done_callback(_look_at)
        self._in_flight.append((record, future))

    async def flush(self) -> Offsets:
        while self._in_flight:
            await self._settle_oldest()
        return dict(self._offsets)

    async def _settle_oldest(self) -> None:
        record, future = self._in_flight.popleft()
        try:
            metadata = await future
        except KafkaError as error:
            raise self._failure(record, error) from error
        at = (record.topic, record.partition)
        self._offsets[at] = max(self._offsets.get(at, -1), metadata.offset)

    def _failure(self, record: Record, error: BaseException) -> PublishFailedError:
        return PublishFailedError(
            f"the broker did not take {record.events} events for {full_name(self._prefix, record.topic)}, partition"
            f" {record.partition} ({type(error).__name__}: {error}): check that it runs and that its topics exist"
            " (`poolwatch topics`), then do the same again; what has arrived already changes nothing the second time"
        )


def _look_at(future: asyncio.Future[Any]) -> None:
    # After the first failure nobody awaits the others; without this each would be reported as never retrieved.
    if not future.cancelled():
        future.exception()


class MemoryPublisher:
    """Keeps records in memory, with offsets as a broker would give them: for tests and for trying an import out."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._offsets: Offsets = {}
        self.records: list[Record] = []

    async def publish(self, record: Record) -> None:
        if not 0 <= record.partition < self._partitions:
            raise PublishFailedError(
                f"{record.topic} has no partition {record.partition}, only {self._partitions}: ask the broker how many"
            )
        at = (record.topic, record.partition)
        self._offsets[at] = self._offsets.get(at, -1) + 1
        self.records.append(record)

    async def flush(self) -> Offsets:
        return dict(self._offsets)


class NullPublisher:
    """Takes records and forgets them: what a dry run sends to."""

    async def publish(self, record: Record) -> None:
        """Forget the record."""

    async def flush(self) -> Offsets:
        return {}
