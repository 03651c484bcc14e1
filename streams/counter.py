"""Owns the counter process: Faust agents on tallies and commands, one pipeline a partition, counts published on
Kafka."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pydantic
import structlog
from aiokafka import AIOKafkaProducer
from pydantic import TypeAdapter

from schemas.changes import SnapshotEnd, Tally
from schemas.commands import CommandModel
from schemas.count import Count
from schemas.identifiers import PROVIDER_KEY, partition_of
from schemas.topics import TopicName
from streams.batch_transport import BatchApp, BatchConsumer
from streams.carry_out import Executor
from streams.clock import now_ms
from streams.kafka import KafkaOptions, read_from
from streams.metrics import counting
from streams.metrics.holdings import Holdings
from streams.process import Process
from streams.protocol.counter import CounterPartition, CountRecovery
from streams.protocol.effects import Item, LogRecord, Publish, single
from streams.protocol.office import Office
from streams.protocol.owned_log import JSON_CLAIM_PREFIX, OwnedLog
from streams.protocol.refusals import Refusals

INPUT_TOPICS: tuple[TopicName, ...] = ("tallies", "commands")
STALE_CHECK_S = 5.0

_tally_message: TypeAdapter[Any] = TypeAdapter(Tally | SnapshotEnd)
log = structlog.get_logger()


class CounterWorker:
    """The counter of one partition on Kafka."""

    def __init__(
        self,
        partition: int,
        counter: CounterPartition,
        producer: AIOKafkaProducer,
        consumer: BatchConsumer,
        options: KafkaOptions,
    ) -> None:
        self._partition = partition
        self._counter = counter
        self._log = OwnedLog(self._current, JSON_CLAIM_PREFIX, lambda value, _: value)
        self._office = Office(partition, counter, self._log)
        self._consumer = consumer
        self._options = options
        self._executor = Executor("counter", producer, options, "license-counts", partition, lambda *_: None)
        self._next_stale_check = 0.0

    def _holds(self, tenant: str) -> bool:
        return partition_of(tenant.encode(), self._options.partitions) == self._partition

    def _current(self, key: bytes) -> bytes | None:
        last = self._counter.last(key.decode())
        return None if last is None else _encode(last.model_copy(update={"epoch": self._counter.epoch}))

    async def start(self) -> dict[TopicName, int | None]:
        """Continue from the counts published last, claim them, and read all tallies before anything is published."""
        counter, partition = self._counter, self._partition
        recovery = CountRecovery(counter)
        async for records in self._read("license-counts"):
            recovery.apply(records)
        if recovery.unreadable:
            log.error(
                "counts_passed_over",
                partition=partition,
                offsets=recovery.unreadable[:10],
                number=len(recovery.unreadable),
                next_step="none: the counts are made again; find out who else writes to license-counts",
            )
        await self._executor.run(self._log.claim_beyond(recovery, counter))
        async for records in self._read("tenants"):
            self._office.recall(records)
        for tenant in counter.book.tenants():
            if self._holds(tenant):
                counter.settings_changed(tenant)
        committed = await self._consumer.committed(self._options.topic("commands"), partition)
        async for records in self._read("commands", committed or 0):
            for record in records:
                command = _command(record)
                if command is not None:
                    self._office.note(command)
        next_tally = 0
        async for records in self._read("tallies"):
            self._apply(records)
            next_tally = records[-1].offset + 1
        counter.settle_start()
        log.info("counter_ready", partition=partition, epoch=counter.epoch)
        return {"tallies": next_tally, "commands": committed}

    def _read(self, topic: TopicName, end: int | None = None) -> Any:
        return read_from(self._options, self._options.topic(topic), self._partition, None, end)

    def _apply(self, records: Sequence[LogRecord]) -> list[tuple[LogRecord, str]]:
        bad = []
        for record in records:
            if record.value is None:
                continue
            try:
                self._counter.apply(_tally_message.validate_json(record.value))
            except pydantic.ValidationError as error:
                bad.append((record, str(error)))
        return bad

    async def process(self, topic: TopicName, records: Sequence[LogRecord]) -> None:
        """Process a batch of tallies or commands."""
        with self._executor.trace.batch(topic, records):
            await self._process(topic, records)

    async def _process(self, topic: TopicName, records: Sequence[LogRecord]) -> None:
        refusals = Refusals(topic, self._partition, self._options.partitions, now_ms())
        if topic == "tallies":
            for record, why in self._apply(records):
                refusals.refuse(record, 0, "invalid", why, record.value)
        else:
            for record in records:
                command = _command(record)
                if command is None:
                    refusals.refuse(
                        record, 0, "invalid", "not a command; see docs/schemas/commands.json", record.value or b""
                    )
                else:
                    await self._executor.run(self._office.carry_out(command, record.offset, now_ms()))
        for effect in refusals.take():
            await self._executor.run(single(effect))
        if topic == "commands":
            offset = records[-1].offset + 1
            self._consumer.allow_commit(self._options.topic(topic), self._partition, offset)

    async def lose(self, topic: TopicName, first: int, end: int) -> None:
        """Say that commands were deleted before they were answered; whoever sent them was told so by a timeout."""
        log.error("commands_lost", partition=self._partition, topic=topic, first=first, end=end)

    async def flush(self) -> float | None:
        """Publish the counts that are due; return in how many seconds there is more to do."""
        counter = self._counter
        if time.monotonic() >= self._next_stale_check:
            self._next_stale_check = time.monotonic() + STALE_CHECK_S
            counter.find_stale(now_ms())
        due = [(counter.last(tenant), tenant) for tenant in counter.due(now_ms())]
        taken = [(counter.take(tenant, now_ms()), before) for before, tenant in due]
        counts = [(count, before) for count, before in taken if count is not None]
        items = [Item(count.tenant.encode(), _encode(count)) for count, _ in counts]
        if items:
            await self._executor.run(self._log.append("7-publish", items))
            counting.published(counts, now_ms())
        await self._executor.run(self._office.heal([name for name in counter.book.outdone if self._holds(name)]))
        heals = counter.take_heals()
        if heals:
            await self._executor.run(single(Publish("7-heal", "tallies", self._partition, heals)))
        await self._executor.look_after(self._log)
        if self._office.purging:
            await self._executor.run(self._office.finish_purges())
        wait_ms = counter.wait_ms(now_ms())
        return STALE_CHECK_S if wait_ms is None else wait_ms / 1_000

    @property
    def has_work(self) -> bool:
        """A counter has no work besides batches and what is due."""
        return False

    async def work(self) -> None:
        """Do nothing."""

    def settings_changed(self, tenant: str) -> None:
        """Take note of new settings of a tenant or the provider."""
        if tenant == PROVIDER_KEY or self._holds(tenant):
            self._counter.settings_changed(tenant)

    def holdings(self) -> Holdings:
        """Return what the newest counts come to."""
        return counting.holdings_of(self._counter.lasts(), self._counter.held)


def _encode(count: Count) -> bytes:
    return count.model_dump_json().encode()


def _command(record: LogRecord) -> Any:
    try:
        return CommandModel.validate_json(record.value or b"")
    except pydantic.ValidationError:
        return None


def new_counter_app(options: KafkaOptions, on_ready: Callable[[], None] | None = None) -> BatchApp:
    """Return the Faust app of a counter, for `streams.run`; `on_ready` is called when it has all that it was
    assigned."""

    def new_worker(process: Process, partition: int) -> CounterWorker:
        counter = CounterPartition(process.settings.book)
        return CounterWorker(partition, counter, process.producer, process.consumer, options)

    return Process("counter", options, INPUT_TOPICS, new_worker, on_ready).app
