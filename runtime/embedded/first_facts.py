"""Owns what a demo begins with: the meter's and the counter's own rules, run in memory, give what the sink would have
read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from collectors.outgoing import from_dict
from collectors.partitioner import Partitioner, Record
from schemas.changes import SnapshotEnd, Tally
from schemas.settings import TenantSettings
from schemas.topics import TopicName
from streams.protocol.counter import CounterPartition
from streams.protocol.effects import Append, Appended, Item, Publish, Steps
from streams.protocol.meter import MeterPartition
from streams.protocol.settings_book import SettingsBook

_tally_message: TypeAdapter[Tally | SnapshotEnd] = TypeAdapter(Tally | SnapshotEnd)


@dataclass(slots=True)
class Told:
    """One record as a topic would carry it; `timestamp` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def first_facts(
    settings: Iterable[TenantSettings], events: Iterable[dict[str, Any]], partitions: int, now_ms: int
) -> Iterator[Told]:
    """Yield the records of `tenants`, `seat-changes` and `license-counts` that follow from settings and events."""
    book = SettingsBook()
    for one in settings:
        item = Item(one.tenant.encode(), one.model_dump_json().encode())
        book.apply(item.key, item.value)
        yield _told("tenants", 0, item, now_ms)
    counter = CounterPartition(book)
    by_partition: dict[int, list[Record]] = {}
    for record in _records(events, partitions):
        by_partition.setdefault(record.partition, []).append(record)
    for partition, records in sorted(by_partition.items()):
        meter = MeterPartition(partition, partitions, book, lambda: now_ms)
        for published in _metered(meter, records, now_ms):
            if published.topic == "tallies":
                for item in published.items:
                    counter.apply(_tally_message.validate_json(item.value or b""))
            else:
                yield from (_told(published.topic, partition, item, now_ms) for item in published.items)
    counts = [counter.take(tenant, now_ms) for tenant in counter.due(now_ms)]
    for count in counts:
        if count is not None:
            item = Item(count.tenant.encode(), count.model_dump_json().encode())
            yield _told("license-counts", 0, item, now_ms)


def _told(topic: TopicName, partition: int, item: Item, now_ms: int) -> Told:
    return Told(topic, partition, 0, now_ms, item.key, item.value)


def _records(events: Iterable[dict[str, Any]], partitions: int) -> Iterator[Record]:
    partitioner = Partitioner(partitions)
    for event in events:
        yield from partitioner.add(from_dict(event))
    yield from partitioner.drain()


def _metered(meter: MeterPartition, records: Iterable[Record], now_ms: int) -> Iterator[Publish]:
    log = _Log()
    yield from log.carry_out(meter.start())
    for record in records:
        told = _told(record.topic, record.partition, Item(record.key, record.value), now_ms)
        yield from log.carry_out(meter.batch(record.topic, [told]))
    yield from log.carry_out(meter.flush())


class _Log:
    """Acknowledges what an owner appends, and keeps nothing: the owner has it in memory."""

    def __init__(self) -> None:
        self._end = 0

    def carry_out(self, steps: Steps) -> Iterator[Publish]:
        """Carry out steps, and give out what they publish."""
        result: list[Appended] | None = None
        while True:
            try:
                effect = steps.send(result)
            except StopIteration:
                return
            result = None
            if isinstance(effect, Append):
                result = [Appended(self._end, len(effect.items))]
                self._end += len(effect.items)
            elif isinstance(effect, Publish):
                yield effect
