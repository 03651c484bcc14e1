"""Owns the loop of the sink: read Kafka, store in ClickHouse, commit.

At least once: identities make repeats harmless.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError
from msgspec.json import encode

from schemas.identifiers import partition_of
from schemas.times import to_ms
from schemas.topics import TopicName, full_name
from streams.sink import processors
from streams.sink.block import Block, read_block
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import HEARTBEAT_S, CountLedger
from streams.sink.metrics import LAG, OLDEST, PARTITIONS
from streams.sink.newest import newest_rows
from streams.sink.ports import Clients, DeadLetters, Rows
from streams.sink.processors import Batch, Outcome
from streams.sink.removal import remove, remove_late
from streams.sink.rollup import roll_up
from streams.sink.storing import Storing

_log = structlog.get_logger(__name__)

TOPICS: tuple[TopicName, ...] = ("seat-changes", "license-counts", "tenants", "commands", "alerts", "alert-state")
CONSUMER_OPTIONS: Mapping[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
    # While ClickHouse is away nothing is polled, for hours if need be, and the member must not be thrown out of its
    # group.
    "max_poll_interval_ms": 7 * 86_400_000,
    # A tenant's counts and its settings stay with one sink, so that a purge finds the tenant in the ledger that it is
    # in.
    "partition_assignment_strategy": (RangePartitionAssignor,),
}
"""What the sink needs of its AIOKafkaConsumer, beside address and group."""
HOUSEKEEPING_S = 60.0


class Sink:
    """One sink process. `consumer`: started, not subscribed, with CONSUMER_OPTIONS."""

    def __init__(
        self,
        consumer: Any,
        clients: Clients,
        dead_letters: DeadLetters,
        clock: Callable[[], datetime],
        prefix: str = "poolwatch.",
        rows: Rows | None = None,
        on_assigned: Callable[[], None] = lambda: None,
    ) -> None:
        self._consumer, self._clients, self._clock = consumer, clients, clock
        self._storing = Storing(rows or ClickHouseRows(clients), dead_letters)
        self._ledger, self._reseed = CountLedger(), True
        self._names = {full_name(prefix, topic): topic for topic in TOPICS}
        self._counts_topic = full_name(prefix, "license-counts")
        self._hour = 0
        self._on_assigned = on_assigned
        self._next: asyncio.Task[Block] | None = None

    async def run(self) -> None:
        """Store until cancelled. Raises errors that waiting does not mend."""
        self._consumer.subscribe(list(self._names), listener=_Assigned(self))
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            while True:
                await self.step()
                if housekeeping.done():
                    housekeeping.result()
        finally:
            unfinished = [task for task in (housekeeping, self._next) if task]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def assigned(self) -> None:
        """Note that partitions have come or gone: another sink may have written newer rows of their tenants."""
        self._reseed = True
        PARTITIONS.set(len(self._consumer.assignment()))
        LAG.clear()  # of topics whose partitions are all gone nobody would set it again
        self._on_assigned()

    async def step(self) -> None:
        """Store one block. A crash after any of the numbers reads the block again, and stores the same rows again."""
        # 1. Read a block; nothing of it is stored. The next one is gathered while this one is stored, and no more
        #    than that.
        block = await (self._next or read_block(self._consumer))
        self._next = None
        if self._reseed:
            self._reseed = False
            self._ledger.seed(await self._storing.persist(lambda: newest_rows(self._clients), "latest_counts"))
        if block.rows:
            self._next = asyncio.create_task(read_block(self._consumer))
            OLDEST.timestamp_ms = min(records[0].timestamp for records in block.records.values())
            await self._show_lag(block)
            await self._store(block)
            await self._commit(block)
            OLDEST.timestamp_ms = None
        else:
            await self._beat()
        await self._show_lag()

    async def _store(self, block: Block) -> None:
        outcomes = [self._process(self._names[topic], records) for topic, records in block.records.items()]
        batches = [batch for outcome in outcomes for batch in outcome.batches]
        # 2. Insert all rows but the newest counts. After a crash the same rows replace them; counts already folded
        #    into a row are in it again, since the ledger starts from the newest counts, which do not know of them
        #    yet.
        for batch in batches:
            if batch.table != "latest_counts":
                await self._storing.store(batch)
        # 3. Delete what removals leave no place for. After a crash they are deleted again; until then the floor,
        #    which is stored with the settings in step 2, hides them.
        for removal in (removal for outcome in outcomes for removal in outcome.removals):
            await self._storing.persist(lambda removal=removal: remove(self._clients, removal), "removal")  # type: ignore[misc]
            if removal.what == "everything":
                self._ledger.forget(removal.tenant)
        # 4. Insert the newest counts. After a crash the counts of the block are older than they, and are skipped.
        for batch in batches:
            if batch.table == "latest_counts":
                await self._storing.store(batch)
        # 5. Hand on what could not be stored, and wait until that is certain. After a crash it is handed on twice.
        for reject in (reject for outcome in outcomes for reject in outcome.rejects):
            await self._storing.reject(reject)

    def _process(self, topic: TopicName, records: Sequence[Any]) -> Outcome:
        if topic == "seat-changes":
            return processors.seat_changes(records)
        if topic == "license-counts":
            return processors.license_counts(records, self._ledger)
        if topic == "tenants":
            return processors.tenants(records)
        if topic == "alert-state":
            return processors.alert_states(records)
        return processors.commands(records) if topic == "commands" else processors.alerts(records)

    async def _commit(self, block: Block) -> None:
        # 6. Commit. A partition that has moved meanwhile is read again by its new owner, which stores the same rows.
        mine = self._consumer.assignment()
        offsets = {partition: offset for partition, offset in block.offsets.items() if partition in mine}
        if not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            _log.warning("commit_refused", rows=block.rows, error=str(error)[:200])

    async def _beat(self) -> None:
        hour = to_ms(self._clock()) // 1_000 // HEARTBEAT_S
        if hour == self._hour or not await self._caught_up():
            return
        batch = Batch("license_counts")
        partitions = len(self._consumer.partitions_for_topic(self._counts_topic) or ())
        mine = {place.partition for place in self._consumer.assignment() if place.topic == self._counts_topic}
        for row in self._ledger.heartbeats(self._clock()):
            if partitions and partition_of(row.tenant.encode(), partitions) in mine:
                batch.add(encode(row), None)
        await self._storing.store(batch)
        self._hour = hour

    async def _caught_up(self) -> bool:
        """Whether no count waits: only then it is known that a tenant is quiet."""
        lag = await self._lag()
        return self._counts_topic in lag and not lag[self._counts_topic]

    async def _lag(self) -> dict[str, int]:
        """Return the records that wait, by topic that this sink has partitions of."""
        lag: dict[str, int] = defaultdict(int)
        for place in self._consumer.assignment():
            # Before the first fetch of a partition its end is not known: something may wait.
            end, position = self._consumer.highwater(place), await self._consumer.position(place)
            lag[place.topic] += 1 if end is None else max(0, end - position)
        return lag

    async def _show_lag(self, held: Block | None = None) -> None:
        for topic, records in (await self._lag()).items():
            LAG.labels(self._names[topic]).set(records + (len(held.records.get(topic, ())) if held else 0))

    async def _keep_house(self) -> None:
        while True:
            if any(place.topic == self._counts_topic and place.partition == 0 for place in self._consumer.assignment()):
                await self._storing.persist(lambda: roll_up(self._clients), "rollup")
                await self._storing.persist(lambda: remove_late(self._clients), "removal")
            await asyncio.sleep(HOUSEKEEPING_S)


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no type information
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def on_partitions_revoked(self, revoked: Any) -> None:
        del revoked

    async def on_partitions_assigned(self, assigned: Any) -> None:
        del assigned
        self._sink.assigned()
