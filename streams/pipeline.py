"""Owns the pipeline of one partition: batches in order, one at a time, checked by the ledger; the partitions run
side by side."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from faust.types import TP

from schemas.topics import TopicName
from streams.batch_transport import BatchConsumer, Fetched
from streams.kafka import KafkaOptions, beginnings_of, read_from
from streams.metrics import work
from streams.metrics.holdings import Holdings
from streams.metrics.partitions import Standing, lag_s
from streams.protocol.effects import LogRecord
from streams.protocol.ledger import Ledger

MAX_QUEUED_BYTES = 8 * 1024 * 1024
LOOK_INTERVAL_S = 1.0
"""How long a partition is idle before it is looked whether its last batch has vanished."""
FLUSH_INTERVAL_S = 0.1
"""News of a busy partition are published at least this often; those of an idle one at once."""

log = structlog.get_logger()


class Worker(Protocol):
    """What a pipeline drives: the meter or the counter of one partition."""

    async def start(self) -> dict[TopicName, int | None]:
        """Recover and claim; return where to read each input topic from (None = its beginning)."""

    async def process(self, topic: TopicName, records: Sequence[LogRecord]) -> None:
        """Process a batch."""

    async def lose(self, topic: TopicName, first: int, end: int) -> None:
        """Take note that records [first, end) were deleted before they were processed."""

    async def flush(self) -> float | None:
        """Publish what is due; return in how many seconds there is more to publish, None for nothing."""

    async def work(self) -> None:
        """Do a piece of what waits besides batches, such as following changed rules."""

    @property
    def has_work(self) -> bool:
        """Tell whether `work` has something to do."""

    def settings_changed(self, tenant: str) -> None:
        """Take note of new settings of a tenant, or of the provider (`_provider`)."""

    def holdings(self) -> Holdings:
        """Return what the partition holds, in numbers. Asked by another thread, in the middle of anything."""


@dataclass(slots=True)
class _Batch:
    topic: TopicName
    tp: TP
    fetched: Fetched
    size: int


class Pipeline:
    """Runs the worker of one partition as a task. A failure ends the process: nothing restarts in place."""

    def __init__(
        self,
        role: str,
        partition: int,
        worker: Worker,
        consumer: BatchConsumer,
        options: KafkaOptions,
        on_ready: Callable[[], None],
    ) -> None:
        self._role = role
        self.partition = partition
        self._on_ready = on_ready
        self.ready = False
        self._accepts = False
        self.worker = worker
        self._consumer = consumer
        self._options = options
        self._ledgers: dict[TopicName, Ledger] = {}
        self._seek_era: dict[TopicName, int] = {}
        self._queue: deque[_Batch] = deque()
        self._in_hand: _Batch | None = None
        self._queued_bytes = 0
        self._last_offer = 0.0
        self._paused = False
        self._wake = asyncio.Event()
        self._stopping = False
        self.task = asyncio.create_task(self._run(), name=f"pipeline-{partition}")

    def offer(self, topic: TopicName, tp: TP, fetched: Fetched) -> None:
        """Take a fetched batch. Before the pipeline has begun it is dropped, for it seeks to where it begins."""
        if not self._accepts or self._stopping:
            return
        size = sum(len(record.value or b"") for record in fetched.records)
        self._queue.append(_Batch(topic, tp, fetched, size))
        self._queued_bytes += size
        self._last_offer = asyncio.get_running_loop().time()
        if self._queued_bytes > MAX_QUEUED_BYTES and not self._paused:
            self._paused = True
            self._consumer.pause_partitions(self._tps())
        self._wake.set()

    def settings_changed(self, tenant: str) -> None:
        """Tell the worker of new settings, and wake it."""
        self.worker.settings_changed(tenant)
        self._wake.set()

    def standings(self) -> Iterator[Standing]:
        """Yield how far each topic is. Asked by another thread, in the middle of anything."""
        waiting = [batch for batch in (self._in_hand, *self._queue) if batch is not None]
        for topic, ledger in list(self._ledgers.items()):
            end: int | None = self._consumer.highwater(TP(self._options.topic(topic), self.partition))
            lag = max(0, (end or 0) - ledger.next_offset)
            own = [batch for batch in waiting if batch.topic == topic]
            oldest_ms = own[0].fetched.records[0].timestamp if own else None
            age_s = lag_s(lag, oldest_ms, time.monotonic() - self._last_offer, time.time())
            yield Standing(topic, self.partition, ledger.next_offset, lag, age_s, sum(batch.size for batch in own))

    async def stop(self, deadline_s: float) -> None:
        """Finish the batch in hand, publish what is due, and end; what is queued is read again by the next owner."""
        self._stopping = True
        self._wake.set()
        if not self.ready:
            self.task.cancel()
        await asyncio.wait({self.task}, timeout=deadline_s)
        if not self.task.done():  # the broker does not answer: what is unfinished is dropped with its overlay
            self.task.cancel()
            await asyncio.wait({self.task})

    def _tps(self) -> set[TP]:
        return {TP(self._options.topic(topic), self.partition) for topic in self._ledgers}

    async def _run(self) -> None:
        await self._begin()
        wait_s: float | None = 0.0  # the start may have left something to publish, and no batch need ever come
        last_flush = 0.0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            if not self._queue and not self.worker.has_work:
                self._wake.clear()
                if not await self._waken(wait_s) and loop.time() - self._last_offer >= LOOK_INTERVAL_S:
                    await self._look()
            if self._queue:
                self._in_hand = self._queue.popleft()
                await self._process(self._in_hand)
                self._in_hand = None
            elif self.worker.has_work:
                await self.worker.work()
            if not self._queue or loop.time() - last_flush >= FLUSH_INTERVAL_S:
                wait_s = await self.worker.flush()
                last_flush = loop.time()
        await self.worker.flush()

    async def _waken(self, wait_s: float | None) -> bool:
        longest_s = LOOK_INTERVAL_S if wait_s is None else min(wait_s, LOOK_INTERVAL_S)
        try:
            await asyncio.wait_for(self._wake.wait(), longest_s)
        except TimeoutError:
            return False
        return True

    async def _begin(self) -> None:
        began = time.monotonic()
        offsets = await self.worker.start()
        beginnings = await beginnings_of(self._options, offsets, self.partition)
        for topic, offset in offsets.items():
            # Without a committed offset too: the broker forgets those of a group that was away for long.
            await self._note_lost(topic, offset or 0, beginnings[topic])
            self._ledgers[topic] = Ledger(max(offset or 0, beginnings[topic]))
        self._accepts = True  # before the seek: what is fetched at once after it must not be missed
        for topic, ledger in self._ledgers.items():
            await self._seek(topic, ledger.next_offset)
        self._last_offer = asyncio.get_running_loop().time()  # what was just asked for is not missing yet
        self.ready = True
        work.RECOVERY_S.labels(self._role).observe(time.monotonic() - began)
        self._on_ready()

    async def _note_lost(self, topic: TopicName, expected: int, beginning: int) -> None:
        if beginning > expected:
            work.LOST.labels(self._role, topic).inc(beginning - expected)
            log.error("retention_passed_us_by", topic=topic, partition=self.partition, lost=beginning - expected)
            await self.worker.lose(topic, expected, beginning)

    async def _seek(self, topic: TopicName, offset: int) -> None:
        tp = TP(self._options.topic(topic), self.partition)
        await self._consumer.seek(tp, offset)
        self._seek_era[topic] = self._consumer.era[tp]

    async def _look(self) -> None:
        """Ask again for what was fetched and has not come: a batch that vanished is noticed by the next one, which may
        be far off."""
        for topic, ledger in self._ledgers.items():
            tp = TP(self._options.topic(topic), self.partition)
            end: int | None = self._consumer.highwater(tp)  # None before the first fetch
            if end is not None and end > ledger.next_offset:
                if ledger.judge(end, end) == "seek":
                    await self._seek_vanished(topic, end)
                else:
                    await self._fill(topic, end)

    async def _seek_vanished(self, topic: TopicName, got: int) -> None:
        expected = self._ledgers[topic].next_offset
        work.VANISHED.labels(self._role, topic).inc()
        log.warning("batch_vanished", topic=topic, partition=self.partition, expected=expected, got=got)
        self._last_offer = asyncio.get_running_loop().time()
        await self._seek(topic, expected)

    async def _fill(self, topic: TopicName, end: int) -> None:
        """Process what the broker has of a gap that a seek did not close: the batch has vanished again, or the records
        are gone."""
        ledger = self._ledgers[topic]
        log.warning("gap_read", topic=topic, partition=self.partition, start=ledger.next_offset, end=end)
        beginnings = await beginnings_of(self._options, [topic], self.partition)
        await self._note_lost(topic, ledger.next_offset, min(beginnings[topic], end))
        name = self._options.topic(topic)
        async for records in read_from(self._options, name, self.partition, ledger.next_offset, end):
            await self.worker.process(topic, records)
            ledger.advance(records[-1].offset + 1)
            if self._stopping:
                return
        ledger.advance(end)

    async def _process(self, batch: _Batch) -> None:
        self._queued_bytes -= batch.size
        if self._paused and self._queued_bytes < MAX_QUEUED_BYTES // 2:
            self._paused = False
            self._consumer.resume_partitions(self._tps())
        ledger = self._ledgers[batch.topic]
        fetched = batch.fetched.records
        first, last = fetched[0].offset, fetched[-1].offset
        if first > ledger.next_offset and batch.fetched.era < self._seek_era[batch.topic]:
            return  # fetched before the seek that was asked for: says nothing about a gap
        verdict = ledger.judge(first, last)
        if verdict == "seek":
            await self._seek_vanished(batch.topic, first)
        elif verdict == "process":
            if first > ledger.next_offset:
                await self._fill(batch.topic, first)
            records = [record for record in fetched if record.offset >= ledger.next_offset]
            began = time.monotonic()
            await self.worker.process(batch.topic, records)
            work.BATCH_S.labels(self._role, batch.topic).observe(time.monotonic() - began)
            work.RECORDS.labels(self._role, batch.topic).inc(len(records))
            ledger.advance(last + 1)


class Pipelines:
    """The pipelines of the partitions that this process owns."""

    def __init__(
        self,
        role: str,
        new_worker: Callable[[int], Worker],
        options: KafkaOptions,
        topics: Mapping[str, TopicName],
        on_ready: Callable[[], None] | None,
    ) -> None:
        """`new_worker(partition)` makes a worker; `topics`: short names of the input topics by their name on the
        broker;
        `on_ready` is called when all running pipelines are ready."""
        self._role = role
        self._on_ready = on_ready
        self._new_worker = new_worker
        self._options = options
        self._topics = topics
        self._consumer: BatchConsumer | None = None
        self._running: dict[int, Pipeline] = {}
        self._assigned = False

    @property
    def ready(self) -> bool:
        """Whether partitions have been assigned, if only none, and all of them have recovered."""
        return self._assigned and all(pipeline.ready for pipeline in list(self._running.values()))

    def numbers(self) -> tuple[int, int]:
        """Return how many partitions are owned, and how many of them have recovered."""
        running = list(self._running.values())
        return len(running), sum(pipeline.ready for pipeline in running)

    def workers(self) -> list[Worker]:
        """Return what works on the partitions."""
        return [pipeline.worker for pipeline in list(self._running.values())]

    def standings(self) -> list[Standing]:
        """Return how far each partition of each input topic is."""
        return [standing for pipeline in list(self._running.values()) for standing in pipeline.standings()]

    def start(self, consumer: BatchConsumer, assigned: set[TP], failed: Callable[[BaseException], None]) -> None:
        """Start the pipelines of newly owned partitions. `failed(error)` is called when one of them ends by an
        error."""
        self._consumer = consumer
        self._assigned = True

        def ended(task: asyncio.Task[None]) -> None:
            error = None if task.cancelled() else task.exception()
            if error is not None:
                failed(error)

        for partition in sorted({tp.partition for tp in assigned if tp.topic in self._topics}):
            worker = self._new_worker(partition)
            pipeline = Pipeline(self._role, partition, worker, consumer, self._options, self._one_is_ready)
            pipeline.task.add_done_callback(ended)
            self._running[partition] = pipeline

    def _one_is_ready(self) -> None:
        if self._on_ready is not None and all(pipeline.ready for pipeline in self._running.values()):
            self._on_ready()

    async def stop(self) -> None:
        """Stop all pipelines and commit what they have done: Kafka's eager rebalance revokes all partitions at once."""
        if not self._running or self._consumer is None:
            return
        running, self._running = self._running, {}
        deadline_s = self._options.session_timeout_s / 2
        await asyncio.gather(*(pipeline.stop(deadline_s) for pipeline in running.values()))
        await self._consumer.commit_allowed(deadline_s)

    def route(self, tp: TP, fetched: Fetched) -> None:
        """Hand a fetched batch to the pipeline of its partition."""
        pipeline = self._running.get(tp.partition)
        if pipeline is not None:
            pipeline.offer(self._topics[tp.topic], tp, fetched)

    def settings_changed(self, tenant: str) -> None:
        """Tell all workers of new settings of a tenant."""
        for pipeline in self._running.values():
            pipeline.settings_changed(tenant)
