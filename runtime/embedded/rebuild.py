"""Owns the start on an empty broker: settings, state, newest counts, states of alerts and held syncs are put back from
ClickHouse before anything runs."""

from dataclasses import dataclass

import msgspec
import structlog
from aiokafka import AIOKafkaProducer

from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.reload import alert_states, latest_facets, newest_counts, newest_settings, sync_marks
from runtime.embedded.held_syncs import held_syncs
from schemas.identifiers import partition_of
from schemas.times import parse_time
from schemas.topics import TopicName, full_name
from streams.clock import now_ms
from streams.kafka import write
from streams.protocol.effects import Item
from streams.protocol.rebuild import Rebuild
from streams.protocol.settings_book import SettingsBook

_BLOCK = 2_000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was put back."""

    tenants: int
    subjects: int
    counts: int


async def rebuild(pool: ClientPool, producer: AIOKafkaProducer, prefix: str, partitions: int) -> Rebuilt:
    """Write settings, counts, alert states, held syncs and the meter's state to the topics; nobody may read or write
    them yet."""
    sender = _Sender(producer, prefix)
    book = SettingsBook()
    settings = newest_settings(pool)
    for stored in settings:
        key, value = stored.tenant.encode(), stored.settings.encode()
        book.apply(key, value)
        await sender.send("tenants", partition_of(key, partitions), Item(key, value))
    counts = newest_counts(pool)
    as_of = {}
    for count in counts:
        key = count.tenant.encode()
        await sender.send("license-counts", partition_of(key, partitions), Item(key, count.count.encode()))
        instant = msgspec.json.decode(count.count).get("as_of")
        if instant is not None:
            as_of[count.tenant] = parse_time(instant)
    builder = Rebuild(book, partitions, sync_marks(pool), as_of)
    subjects = 0
    for subject in latest_facets(pool):
        placed = builder.record(subject)
        if placed is not None:
            subjects += 1
            await sender.send("meter-state-changelog", *placed)
    for partition, header in builder.headers():
        await sender.send("meter-state-changelog", partition, header)
    for partition, tally in builder.tallies():
        await sender.send("tallies", partition, tally)
    for kept in alert_states(pool):
        key = kept.tenant.encode()
        await sender.send("alert-state", partition_of(key, partitions), Item(key, kept.state.encode()))
    for run in held_syncs(pool):
        key = run.tenant.encode()
        await sender.send("commands", partition_of(key, partitions), Item(key, run.model_dump_json().encode()))
    await sender.flush()
    rebuilt = Rebuilt(len(settings), subjects, len(counts))
    log.info("state_rebuilt", tenants=rebuilt.tenants, subjects=rebuilt.subjects, counts=rebuilt.counts)
    return rebuilt


class _Sender:
    """Writes records in blocks, by topic and partition."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._piles: dict[tuple[TopicName, int], list[Item]] = {}

    async def send(self, topic: TopicName, partition: int, item: Item) -> None:
        pile = self._piles.setdefault((topic, partition), [])
        pile.append(item)
        if len(pile) >= _BLOCK:
            await self._write(topic, partition)

    async def flush(self) -> None:
        for topic, partition in list(self._piles):
            await self._write(topic, partition)

    async def _write(self, topic: TopicName, partition: int) -> None:
        pile = self._piles.pop((topic, partition))
        await write(self._producer, full_name(self._prefix, topic), partition, pile, now_ms())
