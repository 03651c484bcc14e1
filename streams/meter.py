"""Owns the meter process: Faust agents on the two input topics, one pipeline a partition, the protocol carried out
on Kafka."""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog
from aiokafka import AIOKafkaProducer

from schemas.topics import TopicName
from streams.batch_transport import BatchApp, BatchConsumer
from streams.carry_out import Executor
from streams.clock import now_ms
from streams.kafka import KafkaOptions, read_from
from streams.metrics import work
from streams.metrics.holdings import Holdings
from streams.process import Process
from streams.protocol.effects import LogRecord, Steps
from streams.protocol.meter import MeterPartition

INPUT_TOPICS: tuple[TopicName, ...] = ("user-changes", "assignments")
CHANGELOG: TopicName = "meter-state-changelog"

log = structlog.get_logger()


class MeterWorker:
    """The meter of one partition on Kafka."""

    def __init__(
        self, meter: MeterPartition, producer: AIOKafkaProducer, consumer: BatchConsumer, options: KafkaOptions
    ) -> None:
        self.meter = meter
        self._consumer = consumer
        self._options = options
        self._executor = Executor("meter", producer, options, CHANGELOG, meter.partition, self._may_commit)
        self._following: Steps | None = None

    def _may_commit(self, topic: TopicName, offset: int) -> None:
        self._consumer.allow_commit(self._options.topic(topic), self.meter.partition, offset)

    async def start(self) -> dict[TopicName, int | None]:
        """Read the changelog to its end, claim it, publish all tallies; return the committed offsets."""
        started = time.monotonic()
        meter = self.meter
        async for records in read_from(self._options, self._options.topic(CHANGELOG), meter.partition):
            meter.recovery.apply(records)
            await asyncio.sleep(0)
        recovered = time.monotonic()
        await self._executor.run(meter.start())
        log.info(
            "partition_recovered",
            partition=meter.partition,
            subjects=len(meter.state),
            epoch=meter.log.epoch,
            strays=len(meter.recovery.strays),
            recovery_s=round(recovered - started, 3),
            publish_s=round(time.monotonic() - recovered, 3),
        )
        topics = INPUT_TOPICS
        return {name: await self._consumer.committed(self._options.topic(name), meter.partition) for name in topics}

    async def process(self, topic: TopicName, records: Sequence[LogRecord]) -> None:
        """Process a batch, steps 1 to 4."""
        before = self.meter.events
        with self._executor.trace.batch(topic, records):
            await self._executor.run(self.meter.batch(topic, records))
        work.EVENTS.labels(topic).inc(self.meter.events - before)

    async def lose(self, topic: TopicName, first: int, end: int) -> None:
        """Have the count called stale, and a full sync asked for."""
        await self._executor.run(self.meter.lose_events(topic, first, end))

    async def flush(self) -> float | None:
        """Carry out steps 5 and 6 for what was processed."""
        if self.meter.has_news:
            await self._executor.run(self.meter.flush())
        return await self._executor.look_after(self.meter.log)

    @property
    def has_work(self) -> bool:
        """Tell whether tenants' subjects have to follow changed rules."""
        return bool(self.meter.stale)

    async def work(self) -> None:
        """Follow changed rules for one slice, so that batches can go between."""
        if self._following is None:
            self._following = self.meter.follow_rules()
        if await self._executor.advance(self._following):
            self._following = None

    def settings_changed(self, tenant: str) -> None:
        """Take note of new settings of a tenant."""
        self.meter.settings_changed(tenant)

    def holdings(self) -> Holdings:
        """Return how many subjects and tenants there are."""
        return {
            ("poolwatch_meter_subjects",): len(self.meter.state),
            ("poolwatch_meter_tenants",): len(self.meter.state.tenants),
            ("poolwatch_meter_tenants_following",): len(self.meter.stale),
        }


def new_meter_app(options: KafkaOptions, on_ready: Callable[[], None] | None = None) -> BatchApp:
    """Return the Faust app of a meter, for `streams.run`; `on_ready` is called when it has all that it was assigned."""

    def new_worker(process: Process, partition: int) -> MeterWorker:
        meter = MeterPartition(partition, options.partitions, process.settings.book, now_ms)
        return MeterWorker(meter, process.producer, process.consumer, options)

    return Process("meter", options, INPUT_TOPICS, new_worker, on_ready).app
