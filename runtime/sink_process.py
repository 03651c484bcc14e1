"""Owns the sink's process: its consumer, its ClickHouse clients, its way to the dead letters, the survey beside it, run
until a signal."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from portal.kafka.publishing import Outgoing, Publisher
from portal.services import utc_now
from portal.store.store import ClickHouseStore
from runtime import kafka
from runtime.broker_check import why_not
from runtime.clickhouse.errors import StorageError
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.installation import sink_group
from runtime.metrics.health import Health
from runtime.settings import Settings
from runtime.signals import until_told
from runtime.survey import Survey
from schemas.changes import DeadLetter
from schemas.times import to_ms
from schemas.topics import full_name
from streams.sink.sink import CONSUMER_OPTIONS, Sink

MAX_VALUE_BYTES = 512 * 1024
SESSION_TIMEOUT_S = 10.0
"""A sink that is silent for so long loses its partitions."""


class SinkError(Exception):
    """The sink cannot run; the text says why, and what to do."""


class KafkaDeadLetters:
    """Records that cannot be stored go to the topic `dead-letters`, into the partition that they came from."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, record: Any, reason: str, detail: str) -> None:
        """Keep the bytes, the reason and the origin of a record; return once Kafka has confirmed."""
        raw: bytes = record.value or b""
        letter = DeadLetter(
            reason=reason,
            detail=detail[:2_000],
            topic=record.topic,
            partition=str(record.partition),
            offset=str(record.offset),
            index="0",
            failed_at=utc_now(),
            length=str(len(raw)),
            sha256=hashlib.sha256(raw).hexdigest(),
        )
        headers = tuple((name, str(value).encode()) for name, value in letter.model_dump(mode="json").items())
        place = Outgoing("dead-letters", record.partition, record.key, raw[:MAX_VALUE_BYTES], headers)
        await self._publisher.publish([place], to_ms(letter.failed_at))


def run_sink(settings: Settings, health: Health) -> None:
    """Bring the schema up to date, then store what is told until SIGTERM or Ctrl-C. Raises SinkError."""
    try:
        with open_pool(settings.clickhouse) as pool:
            migrate(pool, settings.retention)
            asyncio.run(until_told(_run(settings, pool, health)))
    except StorageError as error:
        raise SinkError(str(error)) from error


async def _run(settings: Settings, pool: ClientPool, health: Health) -> None:
    health.watch(asyncio.get_running_loop())
    await store(settings, pool, on_ready=health.ready)


async def store(
    settings: Settings,
    pool: ClientPool,
    session_timeout_s: float = SESSION_TIMEOUT_S,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Run a sink until cancelled, then leave its group at once. `on_ready` is called when it has partitions. Raises
    SinkError."""
    own = settings.kafka
    session_ms = int(session_timeout_s * 1_000)
    consumer = AIOKafkaConsumer(
        **kafka.connection(own),
        group_id=sink_group(own.topic_prefix),
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=session_ms // 6,
        **CONSUMER_OPTIONS,
    )
    producer = kafka.producer(own)
    try:
        try:
            await producer.start()
            await consumer.start()
        except (KafkaError, OSError) as error:
            raise SinkError(str(await why_not(own, error))) from error
        publisher = Publisher(producer, own.topic_prefix)
        counts = full_name(own.topic_prefix, "license-counts")

        def mine() -> set[int]:
            return {place.partition for place in consumer.assignment() if place.topic == counts}

        survey = Survey(pool, ClickHouseStore(pool, utc_now), publisher, own.partitions, mine, utc_now)
        surveying = asyncio.create_task(survey.run(), name="survey")
        try:
            letters = KafkaDeadLetters(publisher)
            await Sink(consumer, pool, letters, utc_now, own.topic_prefix, on_assigned=on_ready).run()
        finally:
            surveying.cancel()
            await asyncio.gather(surveying, return_exceptions=True)
    finally:
        await consumer.stop()
        await producer.stop()
