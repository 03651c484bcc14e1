"""Owns the transport that feeds Faust one event per fetched partition batch, for the topics declared so
(docs/adr/0002).

Faust makes two asyncio tasks and a `sleep(0)` for every record, nearly all of its cost; agents, assignment and
rebalances stay Faust's.
Written against faust-streaming 0.15.3, which pyproject pins: it replaces `Consumer._drain_messages`, how offsets are
chosen for commit, and how aiokafka hands out what it has fetched of a batch topic.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, cast

import aiokafka
import faust
import structlog
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CorruptRecordException, IllegalStateError
from faust.events import Event
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from yarl import URL

from streams.kafka import KafkaOptions
from streams.protocol.effects import LogRecord

log = structlog.get_logger()

MAX_TURN_RECORDS = 16_000
"""Of a partition at a time: enough to fill slices, few enough that others have a turn."""
_IDLE_S = 1.0
_PAUSED_S = 0.02

_batch_topics: set[str] = set()
_changelogs: set[str] = set()
_getall = FetchResult.getall
_wrapped = PartitionRecords._consumer_record


def _unwrapped(self: Any, tp: TP, record: Any) -> Any:
    """Hand out a record of a changelog as aiokafka has decoded it, without a copy: it has all that a `LogRecord` has.

    One by one all the same: what recovery keeps of records that were taken by thousands lies so scattered that a
    subject takes 490 B instead of 360, as measured.
    """
    return record if tp.topic in _changelogs else _wrapped(self, tp, record)


PartitionRecords._consumer_record = _unwrapped


def _getall_batched(self: Any, max_records: int | None = None) -> list[Any]:
    """Take the fetched records of a batch topic as aiokafka has decoded them, a record batch at a time.

    aiokafka takes them one by one out of a generator, and copies each into a dataclass of eleven fields: a sixth of
    the time of a single event.
    """
    if self._topic_partition.topic not in _batch_topics:
        return cast(list[Any], _getall(self, max_records))
    if not self.check_assignment(self._topic_partition) or not self.has_more():
        return []
    fetched = self._partition_records
    most = MAX_TURN_RECORDS if max_records is None else min(max_records, MAX_TURN_RECORDS)
    taken: list[Any] = []
    # The record batch in hand, and where it ends. What is not asked for is not decoded: it would take memory that, once
    # part of what is taken is kept for long, nobody gets back.
    records, end = getattr(fetched, "in_hand", (iter(()), fetched.next_fetch_offset))
    is_last = False
    while len(taken) < most:
        taken += islice(records, most - len(taken))
        if len(taken) == most:
            fetched.next_fetch_offset = taken[-1].offset + 1
            break
        fetched.next_fetch_offset = end
        is_last = not fetched._records.has_next()
        if is_last:
            break
        batch = fetched._records.next_batch()
        if not batch.validate_crc():
            self._partition_records = None  # it is fetched again: to go on would be to leave it out
            raise CorruptRecordException(f"Invalid CRC - {self._topic_partition}")
        records, end = _from(batch, fetched.next_fetch_offset), batch.next_offset
    fetched.in_hand = records, end
    self._update_position()
    if is_last:
        self._partition_records = None
    return taken


def _from(batch: Any, offset: int) -> Iterator[Any]:
    """Return the records of a batch from an offset on: a fetch begins with a whole batch."""
    if batch.is_control_batch:
        return iter(())
    if batch.base_offset >= offset:
        return chain(batch)  # a batch can be asked for its iterator only once, and `islice` asks again
    return (record for record in batch if record.offset >= offset)


FetchResult.getall = _getall_batched


class Fetched(NamedTuple):
    """Value of a batch topic's event: the records of one fetch of a partition, and the era of the partition they
    were fetched in."""

    era: int
    records: Sequence[LogRecord]


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with an aiokafka consumer of our own settings."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        # Faust's own choice without tables is round robin over topic-partitions, which would tear equal partitions
        # of two topics apart.
        self._assignor = RangePartitionAssignor
        options = cast(BatchApp, transport.app).kafka
        session_ms = int(options.session_timeout_s * 1_000)
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=options.bootstrap,
            group_id=transport.app.conf.id,
            partition_assignment_strategy=(self._assignor,),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # A bound for all partitions would give the first ones all of it; `_getall_batched` bounds each.
            max_poll_records=1_000_000,
            max_poll_interval_ms=600_000,
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 6,
            fetch_max_wait_ms=500,
            **options.client,
        )


class BatchConsumer(driver.Consumer):
    """Delivers all fetched records of one partition of a batch topic as one message whose value is the list of records.

    `era` counts the seeks of a partition: a batch carries the era it was fetched in, so that what was fetched before
    a seek is told from what came after it. On batch topics only what pipelines allow is ever committed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch_topics = cast(BatchApp, self.app).batch_topics
        self.era: dict[TP, int] = {}
        self._allowed: dict[TP, int] = {}

    def _new_consumer_thread(self) -> Any:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek(self, partition: TP, offset: int) -> None:
        """Seek, and begin a new era of the partition."""
        self.era[partition] = self.era.get(partition, 0) + 1
        await super().seek(partition, offset)

    async def _seek(self, partition: TP, offset: int) -> None:
        # On the consumer's own thread: a seek drops fetched records, which a fetch over there may be walking through.
        await self._thread.call_thread(self._seek_there, partition, offset)

    async def _seek_there(self, partition: TP, offset: int) -> None:
        self._thread.seek(partition, offset)

    async def perform_seek(self) -> None:
        """Seek all partitions to their committed offsets, as Faust does after a rebalance."""
        for tp in self.assignment():
            self.era[tp] = self.era.get(tp, 0) + 1
        await super().perform_seek()

    async def _drain_messages(self, fetcher: Any) -> None:
        deliver = self.callback
        ends: tuple[type[BaseException], ...] = (asyncio.CancelledError, *self.consumer_stopped_errors)
        try:
            while not any((self.should_stop, fetcher.should_stop)):
                eras = dict(self.era)
                if self._paused_partitions and not self._get_active_partitions():
                    await asyncio.sleep(_PAUSED_S)  # Faust would sleep for a second
                    continue
                # What a paused partition has fetched is there when it is resumed, and no fetch will tell of it.
                wait_s = _PAUSED_S if self._paused_partitions else _IDLE_S
                fetched: tuple[Any, Any] = await self._wait_next_records(wait_s)
                records, active = fetched
                generation = self.app.consumer_generation_id
                await asyncio.sleep(0)
                if not records:
                    continue
                if not self.flow_active:  # a rebalance has begun: what was fetched is read again later
                    with contextlib.suppress(IllegalStateError):  # by another owner, where the partition has just gone
                        await self.perform_seek()
                    continue
                for tp, batch in records.items():
                    if generation != self.app.consumer_generation_id or not self.flow_active:
                        break
                    if tp not in active and tp not in self._paused_partitions and tp not in self._buffered_partitions:
                        continue
                    for message in self._messages(tp, batch, eras.get(tp, 0)):
                        await self.wait_first(deliver(message), self.suspend_flow.wait())
        except ends:
            # Faust takes a fetch that is cancelled in a rebalance for a crash, also where it is the app that stops.
            if not self.app.should_stop:
                raise

    def _messages(self, tp: TP, batch: list[Any], era: int) -> Iterator[Any]:
        if tp.topic not in self.batch_topics:
            for record in batch:
                yield self._to_message(tp, record)
            return
        last, value = batch[-1], cast(Any, Fetched(era, batch))
        yield ConsumerMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1_000, last.timestamp_type, [], None,
            value, None, tp=tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def allow_commit(self, topic: str, partition: int, offset: int) -> None:
        """Note that everything below the offset has been processed."""
        self._allowed[TP(topic, partition)] = offset

    async def commit_allowed(self, deadline_s: float) -> None:
        """Commit what pipelines have allowed, and forget it: their partitions are about to go."""
        allowed, self._allowed = self._allowed, {}
        if allowed:
            try:
                await asyncio.wait_for(self._commit(allowed), deadline_s)
            except Exception as error:  # noqa: BLE001  # an offset that was not committed costs a replay, which changes nothing
                log.warning("commit_failed", error=type(error).__name__)

    async def committed(self, topic: str, partition: int) -> int | None:
        """Return the committed offset of a partition, None where there is none."""
        offset = await self._thread.call_thread(self._fetch_committed, TP(topic, partition))
        return cast(int | None, offset)

    async def _fetch_committed(self, tp: TP) -> int | None:
        return cast(int | None, await self._thread._ensure_consumer().committed(tp))

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in super()._filter_tps_with_pending_acks(topics):
            if tp.topic not in self.batch_topics:
                yield tp
        yield from list(self._allowed)

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.batch_topics:
            return super()._new_offset(tp)
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._allowed.get(tp)


class SecuredProducer(driver.Producer):
    """Faust's producer, which sends nothing here and is connected all the same, secured as our own clients are."""

    def _settings_auth(self) -> Mapping[str, Any]:
        return {"security_protocol": "PLAINTEXT", **cast(BatchApp, self.app).kafka.client}


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the batch consumer."""

    Consumer = BatchConsumer
    Producer = SecuredProducer


class BatchApp(faust.App):
    """A Faust app on our Kafka options; topics named in `batch_topics` deliver batches, all others take Faust's own
    path."""

    def __init__(self, name: str, kafka: KafkaOptions, batch_topics: Iterable[str]) -> None:
        self.kafka = kafka
        self.batch_topics = frozenset(batch_topics)
        _batch_topics.update(self.batch_topics)
        _changelogs.add(kafka.topic("meter-state-changelog"))
        super().__init__(
            f"{kafka.group}-{name}",
            broker=f"kafka://{kafka.bootstrap}",
            store="memory://",
            topic_partitions=kafka.partitions,
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            stream_wait_empty=True,
            stream_buffer_maxsize=16,
            broker_commit_interval=0.2,
            broker_request_timeout=max(90.0, kafka.session_timeout_s + 1),
            broker_session_timeout=kafka.session_timeout_s,
            broker_rebalance_timeout=kafka.session_timeout_s,
            web_enabled=False,
            autodiscover=False,
        )

    def on_rebalance_return(self) -> None:
        """Do nothing: Faust tells its sensors of it, and warns where it has none."""

    def _create_directories(self) -> None:
        """Make none: Faust would put folders for tables, which are none of ours, where the process was started."""

    def _new_transport(self) -> Any:
        return BatchTransport([URL(f"aiokafka://{self.kafka.bootstrap}")], self, self.loop)


def batch_topic(app: BatchApp, name: str) -> Any:
    """Return the Faust topic of a batch topic: its events carry the list of records as their value, undecoded."""
    topic: Any = app.topic(name, key_serializer="raw", value_serializer="raw")

    async def pass_through(message: Any, **_: Any) -> Event:
        return Event(app, None, message.value, {}, message)

    topic.decode = pass_through
    return topic
