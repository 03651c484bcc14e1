"""Owns the meter of one partition: the delivery contract of DESIGN §4 in its numbered steps, as generators of effects.

It knows no broker and no clock: `streams.pipeline` carries the effects out on Kafka, the tests' state machine in
memory.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, filterfalse, islice

from schemas.commands import Refresh
from schemas.identifiers import partition_of
from schemas.intake import problem_of, read_known, read_record
from schemas.times import from_ms
from schemas.topics import TopicName
from schemas.wire import WireEvent, WireObservation, WireSync
from streams.protocol.effects import Done, Item, LogRecord, Pause, Publish, Steps
from streams.protocol.owned_log import OwnedLog, Recovery
from streams.protocol.record import encode_header
from streams.protocol.refusals import Refusals
from streams.protocol.settings_book import SettingsBook
from streams.protocol.slice import MAX_SOURCES, Movement, Slice
from streams.protocol.state import PartitionState
from streams.protocol.tallies import snapshot_end, tally_message

SLICE_EVENTS = 8_000
SLICE_BYTES = 8 * 1024 * 1024
"""Measured: with a quarter of it an event costs a tenth more, for each slice has its writes, and its own look at each
tenant."""
SLICE_SUBJECTS = 2_000
"""Of a sweep or of changed rules: others go in between, and live ones must not wait for long."""


class MeterPartition:
    """One partition of the input topics: its state, the log that it owns, and what is still to be told of it."""

    def __init__(self, partition: int, partitions: int, book: SettingsBook, now_ms: Callable[[], int]) -> None:
        self.partition = partition
        self.partitions = partitions
        self.book = book
        self._now_ms = now_ms
        self.state = PartitionState()
        self.recovery = Recovery(self.state.install)
        # A subject that is written again brings the tenant's header along, as in `Slice.items`.
        self.log = OwnedLog(self._current, beside=lambda key: key.partition(b"/")[0])
        self.done: dict[TopicName, int] = {}
        self._flushed: dict[TopicName, int] = {}
        self._writing: Slice | None = None
        self._touched: dict[str, Movement] = {}
        self._seq = 0
        self.events = 0
        """How many were read so far, but for those that could not be decoded."""
        self.stale: set[str] = set()
        """Tenants whose profiles must be computed again: `follow_rules` does it."""

    def _current(self, key: bytes) -> bytes | None:
        return self._writing.current(key) if self._writing is not None else self.state.current(key)

    def start(self) -> Steps:
        """Begin to own the partition, after the log was read to its end through `recovery`: claim, catch up, publish
        all."""
        yield from self.log.claim(self.recovery)
        self.find_stale()
        yield from self.follow_rules()
        self._touched = {tenant: Movement("rebuild") for tenant, _ in self.state} | self._touched
        yield from self.flush()
        for target in range(self.partitions):
            end = snapshot_end(self.partition, self.log.epoch)
            yield Publish("5-snapshot-end", "tallies", target, [end])

    def lose_events(self, topic: TopicName, first: int, end: int) -> Steps:
        """Take note that the broker has deleted events [first, end) before they were counted: what the sources said is
        no longer known to agree with the count, so nothing is confirmed any more and a full sync is asked for."""
        by_target: dict[int, list[Item]] = {}
        for tenant, state in self.state:
            for by_source in state.header.sources.values():
                for mark in by_source.values():
                    mark.confirmed_ms = mark.newest_ms = 0
            self._touch(tenant, Movement("refresh"))
            name = f"lost-{topic}-{self.partition}-{first}-{end}"
            command = Refresh(id=name, tenant=tenant, by="meter", sent_at=from_ms(self._now_ms()))
            item = Item(tenant.encode(), command.model_dump_json().encode())
            by_target.setdefault(partition_of(tenant.encode(), self.partitions), []).append(item)
        for target, items in sorted(by_target.items()):
            yield Publish("0-refresh", "commands", target, items)
        yield from self.flush()

    def batch(self, topic: TopicName, records: Sequence[LogRecord]) -> Steps:
        """Process a fetched batch, in slices. Afterwards `flush` makes it visible and lets it be committed."""
        refusals = Refusals(topic, self.partition, self.partitions, self._now_ms())
        slice_, events, size = self._new_slice(), 0, 0
        for record in records:
            # 1 decode and validate; a bad event becomes a dead letter and its neighbours go on
            known = read_known(record.value)
            if events and events + len(known or ()) > SLICE_EVENTS:
                yield from self._carry_out(slice_, refusals)
                self.done[topic] = record.offset
                self.events += events
                slice_, events, size = self._new_slice(), 0, 0
                yield Pause("slice")
            for index, event in enumerate(known) if known is not None else _read_slowly(record, refusals):
                events += 1
                if known is not None:
                    try:
                        if slice_.apply_quickly(event, record.timestamp):
                            continue
                    except Exception:  # noqa: BLE001  # the longer way meets it again, and makes a dead letter
                        pass
                    if not self._is_good(event, record, index, refusals):
                        continue
                if isinstance(event, WireSync):
                    yield from self._carry_out(slice_, refusals)
                    yield from self._sweep(event, record, index, refusals)
                    self.events += events
                    slice_, events, size = self._new_slice(), 0, 0
                else:
                    self._apply(slice_, event, record, index, refusals)
            size += len(record.value or b"")
            if events >= SLICE_EVENTS or size >= SLICE_BYTES:
                yield from self._carry_out(slice_, refusals)
                self.done[topic] = record.offset + 1
                self.events += events
                slice_, events, size = self._new_slice(), 0, 0
                yield Pause("slice")
        yield from self._carry_out(slice_, refusals)
        self.events += events
        self.done[topic] = records[-1].offset + 1

    @staticmethod
    def _is_good(event: WireEvent, record: LogRecord, index: int, refusals: Refusals) -> bool:
        """Tell whether an event that was only decoded is good; a bad one is refused."""
        problem = problem_of(event, record.timestamp)
        if problem is not None:
            refusals.refuse(record, index, *problem, refusals.original(record, index))
        return problem is None

    def _new_slice(self) -> Slice:
        return Slice(self.state, self.book, self.partition, self.partitions, self.log.epoch_bytes, self._now_ms())

    def _apply(self, slice_: Slice, event: WireEvent, record: LogRecord, index: int, refusals: Refusals) -> None:
        if isinstance(event, WireObservation) and refusals.misrouted(event, record, index):
            return
        # 2 apply, into the overlay of the slice: the state is untouched
        try:
            if slice_.rules_of(event.tenant).removed:
                _refuse_removed(refusals, event.tenant, record, index)
            elif not slice_.takes_source_of(event):
                _refuse_source(refusals, event.tenant, record, index)
            else:
                slice_.apply(event, record.timestamp)
        except Exception as error:  # noqa: BLE001  # whatever the rules raise, one event must not stop the stream
            detail = f"the rules raised {type(error).__name__}: report this as a defect, then replay the dead letter"
            refusals.refuse(record, index, "internal_error", detail, refusals.original(record, index))

    def _carry_out(self, slice_: Slice, refusals: Refusals | None = None) -> Steps:
        if refusals is not None:
            for effect in refusals.take():  # noqa: UP028  # results are sent in, which a list does not take
                yield effect
        # 3 tell every change, before the state knows of it: after a crash it must not know what was never told
        if slice_.seat_changes:
            yield Publish("3-tell", "seat-changes", self.partition, slice_.seat_changes)
        # 4 keep: the changelog first, then memory
        items = list(slice_.items())
        if items:
            self._writing = slice_
            try:
                yield from self.log.append("4-keep", items)
            finally:  # also where the slice is dropped in mid-write: its values must not heal anything later
                self._writing = None
        for tenant, movement in slice_.install().items():
            self._touch(tenant, movement)

    def _touch(self, tenant: str, movement: Movement) -> None:
        touched = self._touched.get(tenant)
        if touched is None:
            self._touched[tenant] = movement
        else:
            touched.kind = movement.kind if movement.kind != "users" else touched.kind
            touched.gained += movement.gained
            touched.lost += movement.lost
            touched.example = movement.example or touched.example

    def _sweep(self, event: WireSync, record: LogRecord, index: int, refusals: Refusals) -> Steps:
        slice_ = self._new_slice()
        if slice_.rules_of(event.tenant).removed:
            _refuse_removed(refusals, event.tenant, record, index)
            return
        if not slice_.takes_source_of(event):
            _refuse_source(refusals, event.tenant, record, index)
            return
        subjects = slice_.begin_sweep(event, record.timestamp)
        for chunk in _chunks(subjects):
            slice_.sweep(event, chunk)
            yield from self._carry_out(slice_)
            slice_ = self._new_slice()
        slice_.end_sweep(event)
        yield from self._carry_out(slice_)

    def settings_changed(self, tenant: str) -> None:
        """Take note that the book has new settings of a tenant."""
        if tenant in self.state.tenants and self._is_stale(tenant):
            self.stale.add(tenant)

    def find_stale(self) -> None:
        """Look for tenants whose profiles were computed with other criteria than those in force."""
        self.stale.update(tenant for tenant, _ in self.state if self._is_stale(tenant))

    def _is_stale(self, tenant: str) -> bool:
        header = self.state.tenants[tenant].header
        rules = self.book.rules_of(tenant)
        return header.fingerprint != rules.fingerprint or header.removed_ms < rules.floor_ms

    def follow_rules(self) -> Steps:
        """Compute profiles again where criteria changed, and drop the facts of removed tenants: slice by slice, with
        pauses."""
        while self.stale:
            tenant = min(self.stale)
            while self._is_stale(tenant):
                state = self.state.tenants[tenant]
                rules = self.book.rules_of(tenant)
                for chunk in _chunks(list(state.records)):
                    slice_ = self._new_slice()
                    if state.header.removed_ms < rules.floor_ms:
                        slice_.remove(tenant, chunk)
                    slice_.reevaluate(tenant, chunk)
                    yield from self._carry_out(slice_)
                    yield Pause("rules")
                if self.book.rules_of(tenant) is rules:
                    slice_ = self._new_slice()
                    slice_.finish_rules(tenant)
                    yield from self._carry_out(slice_)
            self.stale.discard(tenant)

    @property
    def has_news(self) -> bool:
        """Tell whether `flush` has something to do."""
        return bool(self._touched) or self.done != self._flushed

    def flush(self) -> Steps:
        """Publish the tallies of the touched tenants, and let what was processed be committed."""
        touched, self._touched = self._touched, {}
        ready: dict[str, Movement] = {}
        for tenant, movement in touched.items():
            if self._is_stale(tenant):  # half-way between two criteria: no tally before all its subjects have followed
                self._touch(tenant, movement)
                self.stale.add(tenant)
            else:
                ready[tenant] = movement
        done = dict(self.done)
        # 5 publish tallies; first the headers, those of half-way tenants too: what they know of freshness must survive
        # the commit of step 6
        headers = [
            Item(tenant.encode(), encode_header(self.log.epoch_bytes, self.state.tenants[tenant].header))
            for tenant in touched
        ]
        yield from self.log.append("5-headers", headers)
        for tenant in touched:
            self.state.tenants[tenant].header_epoch = self.log.epoch_bytes
        if ready:
            for target, items in sorted(self._tallies(ready).items()):
                yield Publish("5-tallies", "tallies", target, items)
        # 6 advance: only this is ever committed
        if done != self._flushed:
            yield Done("6-done", done)
            self._flushed = done

    def _tallies(self, ready: dict[str, Movement]) -> dict[int, list[Item]]:
        by_target: dict[int, list[Item]] = {}
        for tenant, movement in ready.items():
            self._seq += 1
            item = tally_message(
                tenant, self.state.tenants[tenant], movement, self.partition, self.partitions, self.log.epoch, self._seq
            )
            by_target.setdefault(partition_of(tenant.encode(), self.partitions), []).append(item)
        return by_target


def _refuse_removed(refusals: Refusals, tenant: str, record: LogRecord, index: int) -> None:
    detail = f"the tenant {tenant} was removed; set it again to have its events counted"
    refusals.refuse(record, index, "tenant_removed", detail, refusals.original(record, index))


def _refuse_source(refusals: Refusals, tenant: str, record: LogRecord, index: int) -> None:
    detail = (
        f"the facet has {MAX_SOURCES} sources at the tenant {tenant} already: a source names a system, not a run;"
        " send it under the name of one of them"
    )
    refusals.refuse(record, index, "too_many_sources", detail, refusals.original(record, index))


def _read_slowly(record: LogRecord, refusals: Refusals) -> Iterator[tuple[int, WireEvent]]:
    """Yield the good events of a record with their places; the bad ones are refused."""
    intake = read_record(record.value, record.timestamp)
    for rejection in intake.rejections:
        refusals.refuse(record, rejection.index, rejection.reason, rejection.detail, rejection.raw)
    bad = {rejection.index for rejection in intake.rejections}
    yield from zip(filterfalse(bad.__contains__, count()), intake.events, strict=False)


def _chunks(subjects: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(subjects)
    while chunk := list(islice(rest, SLICE_SUBJECTS)):
        yield chunk
