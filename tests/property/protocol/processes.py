"""Owns the meter's and the counter's process of the state machine: what their pipelines do, job by job."""

from typing import cast

from schemas.changes import SnapshotEnd, Tally
from schemas.count import Count
from schemas.identifiers import partition_of
from schemas.topics import TopicName
from streams.protocol.counter import CounterPartition, CountRecovery
from streams.protocol.effects import Effect, Item, LogRecord, Publish, Steps, single
from streams.protocol.ledger import Ledger
from streams.protocol.meter import MeterPartition
from streams.protocol.owned_log import OwnedLog
from tests.property.protocol.log import Stored
from tests.property.protocol.world import PARTITIONS, Process, World

CLAIM_PREFIX = b"_claim/"
INPUTS: tuple[TopicName, ...] = ("user-changes", "assignments")


class MeterProcess(Process):
    """Runs a meter partition: batches of both topics, rules to follow and flushes in any order."""

    kind = "meter"
    owned: TopicName = "meter-state-changelog"

    def __init__(self, world: World, partition: int) -> None:
        super().__init__(world, partition)
        self.read_settings()
        self.meter = MeterPartition(partition, PARTITIONS, self.book, lambda: world.now_ms)
        self._following: Steps | None = None
        self._ledgers: dict[TopicName, Ledger] = {}
        self._position: dict[TopicName, int] = {}
        self._sought: set[TopicName] = set()

    @property
    def log(self) -> OwnedLog:
        """The changelog."""
        return self.meter.log

    def _start(self) -> Steps:
        log = self.world.log(self.owned, self.partition)
        self.meter.recovery.apply(cast(list[LogRecord], log.read(0)))
        yield from self.meter.start()
        for topic in INPUTS:
            self._position[topic] = self.world.committed.get((topic, self.partition), 0)
            self._ledgers[topic] = Ledger(self._position[topic])

    def next_job(self, choice: int) -> Steps | None:
        """Take up a batch, rules or a flush, whatever there is."""
        if choice % 3:
            self.follow_settings()
        jobs: list[Steps] = [self._batch(topic, choice) for topic in INPUTS if self._lag(topic)]
        if self._following is not None or self.meter.stale:
            jobs.append(self._following or self.meter.follow_rules())
        if self.meter.has_news:
            jobs.append(self.meter.flush())
        if not jobs:
            return None
        job = jobs[choice // 12 % len(jobs)]
        if job is self._following:
            self._following = None
        return job

    def follow_settings(self) -> None:
        """Take new settings, at any moment, as the reader beside the pipelines does."""
        for tenant in self.read_settings():
            self.meter.settings_changed(tenant)

    def _lag(self, topic: TopicName) -> bool:
        return self.world.log(topic, self.partition).end > self._position[topic]

    def _batch(self, topic: TopicName, choice: int) -> Steps:
        fetched = self.world.log(topic, self.partition).read(self._position[topic])[: 1 + choice % 5]
        first, last = fetched[0].offset, fetched[-1].offset
        self._position[topic] = last + 1
        sought = topic in self._sought
        self._sought.discard(topic)
        if choice % 11 == 0 and not sought:
            return  # it vanished between fetch and pipeline; the next batch tells, and once
        ledger = self._ledgers[topic]
        verdict = ledger.judge(first, last)
        if verdict == "seek":
            self._position[topic] = ledger.next_offset
            self._sought.add(topic)
        elif verdict == "process":
            records = [record for record in fetched if record.offset >= ledger.next_offset]
            yield from self.meter.batch(topic, cast(list[LogRecord], records))
            ledger.advance(last + 1)

    def is_idle(self) -> bool:
        """Tell whether everything that is known was processed and told."""
        self.follow_settings()
        return not (any(self._lag(topic) for topic in INPUTS) or self.meter.stale or self.meter.has_news)

    def find_vanished(self) -> None:
        """Fetch again what vanished and no later batch told of, as a rebalance or the next event would."""
        for topic, ledger in self._ledgers.items():
            self._position[topic] = ledger.next_offset

    def take_up(self, effect: Effect) -> None:
        """Begin to carry out an effect; of a tally, remember what it counts."""
        super().take_up(effect)
        if isinstance(effect, Publish) and effect.step == "5-tallies":
            for item in effect.items:
                tally = Tally.model_validate_json(item.value or b"")
                counted = list(self.meter.state.tenants[tally.tenant].records.values())
                self.world.tallied.append((tally, counted))

    def _pause(self) -> None:
        if self._job is not None and self._job.__name__ == "follow_rules":  # type: ignore[attr-defined]
            self._following, self._job = self._job, None


class CounterProcess(Process):
    """Runs a counter partition: claims `license-counts`, reads all tallies, then follows and publishes."""

    kind = "counter"
    owned: TopicName = "license-counts"

    def __init__(self, world: World, partition: int) -> None:
        super().__init__(world, partition)
        self.read_settings()
        self.counter = CounterPartition(self.book)
        self.taken: list[tuple[Count, int]] = []
        """Each count, and how far into the tallies it looks."""
        self._log = OwnedLog(self._current, CLAIM_PREFIX, lambda value, _: value)
        self._tallies_read = 0

    @property
    def log(self) -> OwnedLog:
        """The owned partition of license-counts."""
        return self._log

    def _current(self, key: bytes) -> bytes | None:
        last = self.counter.last(key.decode())
        epoch = {"epoch": self.counter.epoch}
        return None if last is None else last.model_copy(update=epoch).model_dump_json().encode()

    def _start(self) -> Steps:
        counter = self.counter
        recovery = CountRecovery(counter)
        recovery.apply(cast(list[LogRecord], self.world.log(self.owned, self.partition).read(0)))
        yield from self._log.claim_beyond(recovery, counter)
        for tenant in self._own(list(self.book.tenants())):
            counter.settings_changed(tenant)
        self._read_tallies(self.world.log("tallies", self.partition).end)
        counter.settle_start()

    def _own(self, tenants: list[str]) -> list[str]:
        return [tenant for tenant in tenants if partition_of(tenant.encode(), PARTITIONS) == self.partition]

    def _read_tallies(self, records: int) -> None:
        for record in self.world.log("tallies", self.partition).read(self._tallies_read)[:records]:
            self._tallies_read = record.offset + 1
            self.counter.apply(message_of(record))

    def next_job(self, choice: int) -> Steps | None:
        """Take up settings and tallies, then publish what is due."""
        if choice % 3:
            self.follow_settings()
        if choice % 5:
            self._read_tallies(1 + choice % 3)
        heals = self.counter.take_heals()
        if heals:
            return single(Publish("7-heal", "tallies", self.partition, heals))
        due = self.counter.due(self.world.now_ms)
        return self._publish(due) if due else None

    def follow_settings(self) -> None:
        """Take new settings of the tenants that are counted here."""
        for tenant in self._own(self.read_settings()):
            self.counter.settings_changed(tenant)

    def _publish(self, due: list[str]) -> Steps:
        counts = [self.counter.take(tenant, self.world.now_ms) for tenant in due]
        taken = [count for count in counts if count is not None]
        self.taken.extend((count, self._tallies_read) for count in taken)
        items = [Item(count.tenant.encode(), count.model_dump_json().encode()) for count in taken]
        yield from self._log.append("7-publish", items)

    @property
    def behind(self) -> bool:
        """Tell whether there are tallies to read or counts to publish."""
        unread = self.world.log("tallies", self.partition).end > self._tallies_read
        return unread or self.counter.wait_ms(self.world.now_ms) is not None


def message_of(record: Stored) -> Tally | SnapshotEnd:
    """Return a message of the topic `tallies`."""
    assert record.key is not None
    assert record.value is not None
    model = SnapshotEnd if record.key.startswith(b"_snapshot_end/") else Tally
    return model.model_validate_json(record.value)
