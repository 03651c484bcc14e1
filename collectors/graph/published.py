"""Owns what a collector publishes of itself: the states of parts (topic `sources`) and hints (topic `commands`)."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiokafka.errors import KafkaError

from collectors.errors import PublishFailedError
from collectors.feed import publish_all
from collectors.graph.reading.rounds import GRAPH
from collectors.outgoing import command
from collectors.publisher import EventPublisher
from schemas.commands import SourceHint, SourceHints
from schemas.identifiers import partition_of
from schemas.sources import Part, SourceState, source_key
from schemas.topics import full_name

NewPublisher = Callable[[], EventPublisher]


class PublishedStates:
    """States of parts on the topic `sources`: a tenant's in the partition of its commands, so that whoever collects it
    finds them. `producer` is an aiokafka producer that the caller starts and stops."""

    def __init__(self, producer: Any, topic_prefix: str, partitions: int) -> None:
        self._producer = producer
        self._topic = full_name(topic_prefix, "sources")
        self._partitions = partitions

    async def write(self, state: SourceState) -> None:
        await self._put(state.tenant, state.part, state.model_dump_json().encode())

    async def forget(self, tenant: str, part: Part) -> None:
        await self._put(tenant, part, None)

    async def _put(self, tenant: str, part: Part, value: bytes | None) -> None:
        partition = partition_of(tenant.encode(), self._partitions)
        try:
            await self._producer.send_and_wait(
                self._topic, value, key=source_key(tenant, GRAPH, part), partition=partition
            )
        except (KafkaError, AssertionError) as error:  # aiokafka asserts that a partition exists
            raise PublishFailedError(
                f"the broker did not take how {part} of {tenant} is doing ({type(error).__name__}: {error}): check that"
                " it runs and that its topics exist (`poolwatch topics`); it is tried again"
            ) from error


class PublishedHints:
    """Hints as commands to the counter of the tenant."""

    def __init__(self, new_publisher: NewPublisher, partitions: int, now: Callable[[], datetime]) -> None:
        self._new_publisher = new_publisher
        self._partitions = partitions
        self._now = now

    async def tell(self, tenant: str, hints: list[SourceHint]) -> None:
        told = SourceHints(
            id=uuid.uuid4().hex, tenant=tenant, by="collector", sent_at=self._now(), source=GRAPH, hints=hints
        )
        await publish_all([command(told)], self._new_publisher(), self._partitions)
