"""Owns the wait until something is on disk, where the broker itself forgets (embedded: a memory-only broker)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from portal.services import NotDurable
from schemas.identifiers import partition_of
from schemas.topics import TopicName, full_name

_POLL_S = 0.05


class Durability(Protocol):
    """When something that Kafka has confirmed may be called done."""

    async def events(self, written: Mapping[tuple[TopicName, int], int]) -> None:
        """Wait for what follows from these records: last offset by input topic and partition. Raises NotDurable."""

    async def settings(self, tenant: str) -> None:
        """Wait for the settings of a tenant that its counter has just written. Raises NotDurable."""


class BrokerKeeps:
    """The broker's own disk is enough: done is what Kafka has confirmed."""

    async def events(self, written: Mapping[tuple[TopicName, int], int]) -> None:
        del written

    async def settings(self, tenant: str) -> None:
        del tenant


class SinkKeeps:
    """Done is what the sink has in ClickHouse, seen by the offsets that the meter and the sink have committed.

    `admin` is an aiokafka admin client; `ends` tells where topic-partitions end now.
    """

    def __init__(
        self,
        admin: Any,
        ends: Callable[[list[Any]], Awaitable[dict[Any, int]]],
        prefix: str,
        partitions: int,
        meter_group: str,
        sink_group: str,
        timeout_s: float = 30.0,
    ) -> None:
        self._admin, self._ends = admin, ends
        self._prefix, self._partitions = prefix, partitions
        self._meter_group, self._sink_group, self._timeout_s = meter_group, sink_group, timeout_s

    async def events(self, written: Mapping[tuple[TopicName, int], int]) -> None:
        # 1. the meter has passed the events: whatever they changed is in seat-changes, which it writes first
        inputs = {self._place(topic, partition): offset + 1 for (topic, partition), offset in written.items()}
        await self._until(lambda: self._passed(self._meter_group, inputs), "the meter")
        # 2. the sink has stored seat-changes up to here; a partition's changes stay in the partition of its events
        await self._stored([self._place("seat-changes", partition) for partition in {place[1] for place in written}])

    async def settings(self, tenant: str) -> None:
        await self._stored([self._place("tenants", partition_of(tenant.encode(), self._partitions))])

    async def _stored(self, places: list[Any]) -> None:
        ends: dict[Any, int] = {}

        async def seen() -> bool:
            if not ends:
                ends.update(await self._ends(places))
            return await self._passed(self._sink_group, ends)

        await self._until(seen, "the sink")

    def _place(self, topic: TopicName, partition: int) -> Any:
        return TopicPartition(full_name(self._prefix, topic), partition)

    async def _passed(self, group: str, wanted: Mapping[Any, int]) -> bool:
        committed = await self._admin.list_consumer_group_offsets(group, partitions=list(wanted))
        return all(
            max(0, committed[place].offset if place in committed else 0) >= offset for place, offset in wanted.items()
        )

    async def _until(self, reached: Callable[[], Awaitable[bool]], who: str) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                while not await self._answered(reached):  # noqa: ASYNC110 -- other processes raise no event here
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise NotDurable(
                f"it is in Kafka, and {who} has not stored it within {self._timeout_s:.0f} s: see whether its disk is"
                " full, and what its log says; then send it again to be sure; what arrives twice changes nothing"
            ) from error

    @staticmethod
    async def _answered(reached: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await reached()
        except KafkaError:
            return False  # a broker that is away is asked again until the deadline
