"""Owns how this room meets Kafka: connection options, acknowledged batch writes that are retried for ever, range
reads."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, codec
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RequestTimedOutError

from schemas.topics import TopicName, full_name
from streams.metrics.broker import tried_again
from streams.protocol.effects import Appended, Item, LogRecord

# aiokafka compresses by lz4's level 9 and has no setting for it: measured, a quarter of a meter's time, for batches a
# tenth smaller than those of level 1, which other clients use.
codec.lz4_encode.__defaults__ = (1,)

MAX_BATCH_BYTES = 1_000_000
"""Just below the broker's default for message.max.bytes."""
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 5.0
_READ_RECORDS = 2_000
_LOOK_S = 0.005

_T = TypeVar("_T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """How to reach the broker, what its topics are called, and what it can do.

    `client`: further keyword arguments of aiokafka clients (security). `idempotent`: the broker can tell a repeated
    batch (the embedded
    one cannot). `session_timeout_s`: a worker that is silent for so long loses its partitions.
    """

    bootstrap: str
    prefix: str = "poolwatch."
    partitions: int = 8
    client: Mapping[str, Any] = field(default_factory=dict)
    idempotent: bool = True
    exact_ends: bool = True
    session_timeout_s: float = 30.0
    group: str = "poolwatch"

    def topic(self, name: TopicName) -> str:
        """Return the broker's name of a topic."""
        return full_name(self.prefix, name)


def new_producer(options: KafkaOptions) -> AIOKafkaProducer:
    """Return a producer, not started, that waits for all in-sync replicas and compresses with lz4."""
    return AIOKafkaProducer(
        bootstrap_servers=options.bootstrap,
        acks="all",
        compression_type="lz4",
        max_batch_size=MAX_BATCH_BYTES,
        max_request_size=4 * MAX_BATCH_BYTES,
        enable_idempotence=options.idempotent,
        request_timeout_ms=30_000,
        **options.client,
    )


def _new_reader(options: KafkaOptions) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=options.bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **options.client,
    )


def is_passing(error: BaseException) -> bool:
    """Tell whether a write that failed so may succeed later: a broker that is away is no failure of ours."""
    return isinstance(error, KafkaTimeoutError | KafkaConnectionError | RequestTimedOutError | OSError) or (
        isinstance(error, KafkaError) and bool(getattr(error, "retriable", False))
    )


async def write(
    producer: AIOKafkaProducer, topic: str, partition: int, items: Sequence[Item], now_ms: int
) -> list[Appended]:
    """Write items to a partition in as few record batches as they need, and wait for the broker's word on each.

    What fails for a passing reason is written again, for ever; the result is in the order of offsets. Raises
    KafkaError for what cannot
    succeed.
    """
    batches = _packed(producer, items, now_ms)
    waiting: list[tuple[Sequence[Item], asyncio.Future[Any]]] = []
    for part, builder in batches:
        waiting.append((part, await _send(producer, builder, topic, partition)))
    appended: list[Appended] = []
    for part, future in waiting:
        appended.append(await _settled(producer, topic, partition, part, future, now_ms))
    appended.sort()
    return appended


def _packed(producer: AIOKafkaProducer, items: Sequence[Item], now_ms: int) -> list[tuple[Sequence[Item], Any]]:
    packed: list[tuple[Sequence[Item], Any]] = []
    start = 0
    builder = producer.create_batch()
    # What aiokafka's own `append` adds is paid for each record: serializers, which we have none of, and a count.
    append = builder._builder.append
    for place, item in enumerate(items):
        timestamp = now_ms if item.timestamp_ms is None else item.timestamp_ms
        headers = list(item.headers) if item.headers else _NO_HEADERS
        if append(place - start, timestamp, item.key, item.value, headers) is None:
            packed.append((items[start:place], _closed(builder, place - start)))
            builder, start = producer.create_batch(), place
            append = builder._builder.append
            if append(0, timestamp, item.key, item.value, headers) is None:
                raise ValueError(f"a record of {len(item.value or b''):,} bytes does not fit a batch")
    packed.append((items[start:], _closed(builder, len(items) - start)))
    return packed


_NO_HEADERS: list[tuple[str, bytes]] = []


def _closed(builder: Any, records: int) -> Any:
    builder._relative_offset = records  # what `record_count` answers with
    builder.close()
    return builder


async def _send(producer: AIOKafkaProducer, builder: Any, topic: str, partition: int) -> asyncio.Future[Any]:
    for delay_s in _delays():
        try:
            future: asyncio.Future[Any] = await producer.send_batch(builder, topic, partition=partition)
        except KafkaError as error:  # the buffer stayed full: the broker is away
            if not is_passing(error):
                raise
            tried_again("enqueue")
            log.warning("kafka_write_waits", topic=topic, partition=partition, error=type(error).__name__)
            await asyncio.sleep(delay_s)
        else:
            return future
    raise AssertionError("delays never end")


async def _settled(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    part: Sequence[Item],
    future: asyncio.Future[Any],
    now_ms: int,
) -> Appended:
    for delay_s in _delays():
        try:
            metadata = await future
        except KafkaError as error:
            if not is_passing(error):
                raise
            tried_again("write")
            log.warning("kafka_write_again", topic=topic, partition=partition, error=type(error).__name__)
            await asyncio.sleep(delay_s)
            ((_, builder),) = _packed(producer, part, now_ms)
            future = await _send(producer, builder, topic, partition)
        else:
            return Appended(metadata.offset, len(part))
    raise AssertionError("delays never end")


def _delays() -> Iterator[float]:
    delay_s = _FIRST_RETRY_S
    while True:
        yield delay_s * random.uniform(0.5, 1.0)
        delay_s = min(2 * delay_s, _LAST_RETRY_S)


async def patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Return what the broker answers; while it is away it is asked again, for ever."""
    for delay_s in _delays():
        try:
            return await ask()
        except (KafkaError, OSError) as error:
            if not is_passing(error):
                raise
            tried_again("ask")
            log.warning("kafka_asked_again", error=type(error).__name__)
            await asyncio.sleep(delay_s)
    raise AssertionError("delays never end")


@asynccontextmanager
async def reader_of(options: KafkaOptions) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer without a group, for reading named offsets. A broker that is away is waited for."""

    async def started() -> AIOKafkaConsumer:
        reader = _new_reader(options)
        try:
            await reader.start()
        except BaseException:
            await reader.stop()
            raise
        return reader

    reader = await patiently(started)
    try:
        yield reader
    finally:
        await reader.stop()


async def ends_of(
    consumer: AIOKafkaConsumer, tps: Sequence[TopicPartition], *, exact: bool
) -> dict[TopicPartition, int]:
    """Return the end offset of each partition; what was assigned to this consumer (of no group) is lost.

    The embedded broker answers with the first offset of the last batch plus one; the high watermark of a fetch is
    true there.
    """
    ends: dict[TopicPartition, int] = await patiently(lambda: consumer.end_offsets(tps))
    asked = [tp for tp, end in ends.items() if end > 0]
    if exact or not asked:
        return ends
    # All at once, and without taking a record: a fetch of a partition that has nothing new holds up the broker's
    # answer for as long as a fetch may wait, and one for each partition adds up to seconds.
    consumer.assign(asked)
    for tp in asked:
        consumer.seek(tp, ends[tp] - 1)
    while any(consumer.highwater(tp) is None for tp in asked):  # noqa: ASYNC110 -- no event tells
        await asyncio.sleep(_LOOK_S)
    return ends | {tp: max(ends[tp], consumer.highwater(tp)) for tp in asked}


async def beginnings_of(options: KafkaOptions, topics: Iterable[TopicName], partition: int) -> dict[TopicName, int]:
    """Return the first offset that is still there, of one partition of each topic.

    By a connection of its own: the broker answers one after the other, and that of a group's consumer hangs in a fetch.
    """
    tps = {TopicPartition(options.topic(topic), partition): topic for topic in topics}
    async with reader_of(options) as reader:
        offsets = await patiently(lambda: reader.beginning_offsets(list(tps)))
    return {topic: offsets[tp] for tp, topic in tps.items()}


async def end_offset(options: KafkaOptions, topic: str, partition: int) -> int:
    """Return where a partition ends now."""
    tp = TopicPartition(topic, partition)
    async with reader_of(options) as reader:
        return (await ends_of(reader, [tp], exact=options.exact_ends))[tp]


async def read_range(options: KafkaOptions, topic: str, partition: int, start: int, end: int) -> list[LogRecord]:
    """Return the records of offsets [start, end) that are still there."""
    records: list[LogRecord] = []
    async for batch in read_from(options, topic, partition, start, end):
        records.extend(batch)
    return records


async def read_from(
    options: KafkaOptions, topic: str, partition: int, start: int | None = None, end: int | None = None
) -> AsyncIterator[list[LogRecord]]:
    """Yield the records of a partition in batches, from `start` (None = its beginning) to `end` (None = its end at
    the call)."""
    tp = TopicPartition(topic, partition)
    async with reader_of(options) as reader:
        begin = (await patiently(lambda: reader.beginning_offsets([tp])))[tp]
        stop = (await ends_of(reader, [tp], exact=options.exact_ends))[tp] if end is None else end
        position = begin if start is None else max(start, begin)
        reader.assign([tp])
        reader.seek(tp, position)
        while position < stop:
            # Few at a time: records that are not asked for are not decoded yet, and take no memory that stays behind.
            fetched = await reader.getmany(tp, timeout_ms=1_000, max_records=_READ_RECORDS)
            records = fetched.get(tp, [])
            position = await reader.position(tp)
            if records and records[-1].offset >= stop:
                records = [record for record in records if record.offset < stop]
            if records:
                yield records
