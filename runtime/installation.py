"""Owns the finding of the Kafka that a command works with: what a running portal says of it, else the settings."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from portal.kafka.durability import BrokerKeeps, Durability, SinkKeeps
from runtime import kafka
from runtime.portal_token import bearer
from runtime.settings import Kafka, Settings, load
from streams.kafka import ends_of

_TIMEOUT_S = 3.0


def group_base(prefix: str) -> str:
    """Return what the Kafka groups of an installation begin with: its topic prefix, for several may share a broker."""
    return prefix.rstrip("._-") or "poolwatch"


def meter_group(prefix: str) -> str:
    """Return the group of the meters, as their Faust app names it."""
    return f"{group_base(prefix)}-meter"


def sink_group(prefix: str) -> str:
    """Return the group of the sinks."""
    return f"{group_base(prefix)}-sink"


class Ends:
    """Tells where partitions end, one question at a time: the embedded broker's answer needs a fetch."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._turn = asyncio.Lock()

    async def __call__(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the end offset of each partition."""
        async with self._turn:
            return await ends_of(self._consumer, places, exact=False)


@dataclass(frozen=True, slots=True)
class Installation:
    """A broker with our topics. `embedded`: it forgets, so that done means stored by the sink."""

    kafka: Kafka
    embedded: bool

    @contextlib.asynccontextmanager
    async def durability(self) -> AsyncIterator[Durability]:
        """Open what tells when something is done."""
        if not self.embedded:
            yield BrokerKeeps()
            return
        admin, consumer = kafka.admin(self.kafka), kafka.reader(self.kafka)
        await admin.start()
        await consumer.start()
        # aiokafka awaits a task of its own at the end, and takes offence where that had no turn yet.
        await asyncio.sleep(0)
        try:
            prefix = self.kafka.topic_prefix
            groups = (meter_group(prefix), sink_group(prefix))
            yield SinkKeeps(admin, Ends(consumer), prefix, self.kafka.partitions, *groups)
        finally:
            await consumer.stop()
            await admin.close()


def find(settings: Settings | None = None) -> Installation:
    """Return the installation of the portal at `settings.url`, or the one that the settings describe.

    Settings of Kafka that were given (not left at their default) win over what a portal says.
    """
    settings = settings or load()
    if "kafka" in settings.model_fields_set:
        return Installation(settings.kafka, embedded=False)
    try:
        about = httpx.get(f"{settings.url}/readyz", headers=bearer(settings.token), timeout=_TIMEOUT_S).json()
        told = {
            "bootstrap": about["kafka_bootstrap"],
            "topic_prefix": about["topic_prefix"],
            "partitions": about["partitions"],
        }
        return Installation(settings.kafka.model_copy(update=told), bool(about["embedded"]))
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return Installation(settings.kafka, embedded=False)
