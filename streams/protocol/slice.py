"""Owns a slice: events applied into an overlay beside the state, and what has to be told and kept because of them.

Nothing here touches the state before `install`, so a slice can be dropped at any time (docs/delivery.md, step 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from licensing.count import is_counted
from licensing.facets import DIAL_PLAN, FACETS, LIVE, Facet, observe
from licensing.profile import profile_of
from schemas.changes import WireSeatChange
from schemas.events import MAX_AHEAD_MS, MAX_FACTS_BYTES
from schemas.identifiers import is_number, is_user, partition_of, subject_key
from schemas.times import format_ms, to_ms
from schemas.wire import WireConfirmed, WireEvent, WireObservation, WireSync
from streams.protocol.effects import Item
from streams.protocol.record import Header, copy_header, decode_record, encode_header, encode_record
from streams.protocol.settings_book import Rules, SettingsBook
from streams.protocol.state import ABSENT, PartitionState, TenantState

ASSUMED_SOURCE = "assumed"
"""Source of guesses (observed at 1970): it feeds facets, but says nothing of freshness."""

MAX_SOURCES = 64
"""Of a facet of a tenant: every one is kept in the header and told in each tally, for ever."""
_UNTOUCHED = b""
"""Stands for a record that a slice has not touched; no record is empty."""
_USER = ord("u")
"""First byte of a user subject; a number's is another."""

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Movement:
    """What a slice did to the count of a tenant, for the cause in its tally."""

    kind: str = "users"
    gained: int = 0
    lost: int = 0
    example: str | None = None


@dataclass(slots=True)
class _Work:
    """A tenant in a slice: its state, untouched, and beside it what the slice makes of it."""

    state: TenantState
    rules: Rules
    header: Header
    """The state's own until a sync or rules change it: then a copy."""
    kind: str = "users"
    header_changed: bool = False
    records: dict[bytes, bytes | None] = field(default_factory=dict)
    newest: dict[tuple[int, str], int] = field(default_factory=dict)
    confirmed: dict[tuple[int, str], int] = field(default_factory=dict)
    as_of_ms: int = 0

    def get(self, subject: bytes) -> bytes | None:
        value = self.records.get(subject, _UNTOUCHED)
        return self.state.records.get(subject) if value is _UNTOUCHED else value

    def takes_source(self, number: int, source: str) -> bool:
        """Tell whether a facet has this source already, or room for another."""
        known = self.header.sources.get(number, {})
        if source in known or (number, source) in self.newest or source == ASSUMED_SOURCE:
            return True
        new = {name for place, name in (*self.newest, *self.confirmed) if place == number and name not in known}
        return len(known) + len(new | {source}) <= MAX_SOURCES

    def note_mixture(self) -> None:
        """Where profiles are kept under other criteria than the header names, it must name none from here on: if these
        criteria came back before all subjects have followed the others, nobody would look for those that did."""
        named = self.header.fingerprint
        if self.records and named and named != self.rules.fingerprint:
            self.own_header().fingerprint = ""

    def own_header(self) -> Header:
        if not self.header_changed:
            self.header, self.header_changed = copy_header(self.header), True
        return self.header


class Slice:
    """One slice of a partition. `seat_changes` are to be told before `items()` are kept; then comes `install`."""

    def __init__(
        self, state: PartitionState, book: SettingsBook, partition: int, partitions: int, epoch: bytes, now_ms: int
    ) -> None:
        self._state = state
        self._book = book
        self._partition = partition
        self._partitions = partitions
        self._epoch = epoch
        self._epoch_number = int.from_bytes(epoch, "big")
        self._now = format_ms(now_ms)
        self._works: dict[str, _Work] = {}
        self.seat_changes: list[Item] = []

    def rules_of(self, tenant: str) -> Rules:
        """Return the rules that this slice applies to a tenant."""
        return self._work(tenant).rules

    def takes_source_of(self, event: WireEvent) -> bool:
        """Tell whether the source of an event is one of the tenant's, or there is room for it."""
        number = FACETS.index(event.facet)  # type: ignore[union-attr]  # of an observation it is set on its struct
        return self._work(event.tenant).takes_source(number, event.source)

    def _work(self, tenant: str) -> _Work:
        work = self._works.get(tenant)
        if work is None:
            state = self._state.tenants.get(tenant) or TenantState()
            work = self._works[tenant] = _Work(state, self._book.rules_of(tenant), state.header)
        return work

    def apply(self, event: WireEvent, record_ms: int) -> None:
        """Apply an observation or a confirmation. A sync is applied by `begin_sweep` and `sweep`."""
        work = self._works.get(event.tenant) or self._work(event.tenant)
        if record_ms > work.as_of_ms:
            work.as_of_ms = record_ms
        if isinstance(event, WireObservation):
            subject = event.subject.encode()
            self._observe(work, event, *observe(event), subject, work.get(subject))
        elif isinstance(event, WireConfirmed):
            mark = (FACETS.index(event.facet), event.source)
            work.confirmed[mark] = max(work.confirmed.get(mark, 0), to_ms(event.observed_at))

    def apply_quickly(self, event: WireEvent, record_ms: int) -> bool:
        """Apply an observation of a known tenant if it is seen at once that nothing can be wrong with it. False: it
        must be looked at, and nothing was done. Raises ValueError for a time in facts that is none."""
        if not isinstance(event, WireObservation):
            return False
        tenant = event.tenant
        work = self._works.get(tenant)
        if work is None:
            if tenant not in self._state.tenants:
                return False
            work = self._work(tenant)
        name = event.subject
        subject = name.encode()
        value = work.get(subject)
        number: int = event.number  # type: ignore[attr-defined]  # set on each struct by schemas.wire
        if work.rules.removed:
            return False
        if value is None:  # of one that is held, id and partition are right
            if not (is_user(name) if number < DIAL_PLAN else is_number(name)):
                return False
            if partition_of(subject_key(tenant, name), self._partitions) != self._partition:
                return False
        elif (number < DIAL_PLAN) != (subject[0] == _USER):
            return False
        if (number, event.source) not in work.newest and not work.takes_source(number, event.source):
            return False
        facet, canonical = observe(event)
        if not 0 <= facet.observed_ms <= record_ms + MAX_AHEAD_MS or len(canonical) > MAX_FACTS_BYTES:
            return False
        if record_ms > work.as_of_ms:
            work.as_of_ms = record_ms
        self._observe(work, event, facet, canonical, subject, value)
        return True

    def _observe(
        self,
        work: _Work,
        event: WireObservation,
        facet: Facet,
        canonical: bytes,
        subject: bytes,
        value: bytes | None,
    ) -> None:
        observed_ms, source = facet.observed_ms, facet.source
        if work.rules.floor_ms and observed_ms <= work.rules.floor_ms:
            return
        mark = (facet.number, source)
        if observed_ms > work.newest.get(mark, 0) and source != ASSUMED_SOURCE:
            work.newest[mark] = observed_ms
        swept_ms = work.header.swept_ms(facet.number, source)
        if observed_ms < swept_ms:
            facet = facet.outdated()
        if value is None:
            facets, rev, old_profile, changed = [facet], work.header.first_rev, None, True
        else:
            body = decode_record(value)
            facets, rev, old_profile, changed = body.facets, body.rev, value[0], True
            for place, known in enumerate(facets):
                if known.number == facet.number:
                    if not facet.beats(known):
                        return
                    changed = not facet.same_facts(known)
                    facets[place] = facet
                    break
            else:
                facets.append(facet)
        if changed:
            profile = profile_of(facets, work.rules.criteria)
            rev += 1
            self._tell(work, event.tenant, event.subject, rev, "event", facet, canonical, old_profile, profile)
        else:
            profile = old_profile or 0
        work.records[subject] = encode_record(profile, self._epoch, rev, facets)

    def _tell(
        self,
        work: _Work,
        tenant: str,
        subject: str,
        rev: int,
        kind: str,
        facet: Facet | None,
        canonical: bytes,
        old_profile: int | None,
        new_profile: int,
        reason: str = "",
    ) -> None:
        key = f"{tenant}/{subject}"
        if facet is None:
            name = rank = source = facts = ""
            at, observed_at = "0", self._now
        else:
            name, rank, source = FACETS[facet.number], facet.rank.hex(), facet.source
            facts = canonical.decode() if facet.flags & LIVE else ""
            at = observed_at = format_ms(facet.observed_ms)
        content = f"{key}\0{kind}\0{name}\0{at}\0{rank}\0{source}\0{reason}"
        change = WireSeatChange(
            sha256(content.encode()).hexdigest()[:32],
            tenant,
            subject,
            rev,
            kind,
            name,
            facts,
            rank,
            source,
            observed_at,
            self._now,
            old_profile,
            new_profile,
            work.rules.revision,
            self._epoch_number,
        )
        self.seat_changes.append(Item(key.encode(), _encode(change)))

    def begin_sweep(self, event: WireSync, record_ms: int) -> list[bytes]:
        """Take a completed sync: its start goes into the header, and the subjects to look at are returned."""
        work = self._work(event.tenant)
        work.kind = "refresh"
        work.as_of_ms = max(work.as_of_ms, record_ms)
        mark = work.own_header().mark(FACETS.index(event.facet), event.source)
        started_ms = to_ms(event.started_at)
        mark.swept_ms = max(mark.swept_ms, started_ms)
        mark.confirmed_ms = max(mark.confirmed_ms, started_ms)
        return list(work.state.records)

    def sweep(self, event: WireSync, subjects: list[bytes]) -> None:
        """Clear what the source no longer holds: its live observations from before the sync's start."""
        work = self._work(event.tenant)
        number, started_ms = FACETS.index(event.facet), to_ms(event.started_at)
        for subject in subjects:
            value = work.get(subject)
            if value is None:
                continue
            body = decode_record(value)
            for place, facet in enumerate(body.facets):
                outdated = facet.observed_ms < started_ms and facet.source == event.source
                if facet.number == number and outdated and facet.flags & LIVE:
                    body.facets[place] = facet.outdated()
                    profile = profile_of(body.facets, work.rules.criteria)
                    self._tell(work, event.tenant, subject.decode(), body.rev + 1, "sweep", body.facets[place], b"",
                               value[0], profile, format_ms(started_ms))  # fmt: skip
                    work.records[subject] = encode_record(profile, self._epoch, body.rev + 1, body.facets)

    def end_sweep(self, event: WireSync) -> None:
        """Tell that the sync has been carried out here; comes last, so that who reads it knows that all was swept."""
        record = {
            "type": "sync",
            "tenant": event.tenant,
            "partition": self._partition,
            "facet": event.facet,
            "source": event.source,
            "started_at": format_ms(to_ms(event.started_at)),
            "recorded_at": self._now,
        }
        self.seat_changes.append(Item(event.tenant.encode(), _encode(record)))

    def reevaluate(self, tenant: str, subjects: list[bytes]) -> None:
        """Compute profiles again after a change of criteria; only those that differ are told and kept."""
        work = self._work(tenant)
        work.kind = "rules"
        for subject in subjects:
            value = work.get(subject)
            if value is None:
                continue
            body = decode_record(value)
            profile = profile_of(body.facets, work.rules.criteria)
            if profile != value[0]:
                # The fingerprint too: a newer version of the rules tells other changes at the same revision. And the
                # subject's own: an owner that knew older rules may have come between.
                self._tell(work, tenant, subject.decode(), body.rev + 1, "rules", None, b"", value[0], profile,
                           f"{body.rev + 1} {work.rules.revision} {work.rules.fingerprint}")  # fmt: skip
                work.records[subject] = encode_record(profile, self._epoch, body.rev + 1, body.facets)

    def remove(self, tenant: str, subjects: list[bytes]) -> None:
        """Drop what was observed up to the removal of a tenant; all of it, while the tenant has not been set again."""
        work = self._work(tenant)
        work.kind = "rules"
        rules = work.rules
        for subject in subjects:
            value = work.get(subject)
            if value is None:
                continue
            body = decode_record(value)
            facets = [] if rules.removed else [facet for facet in body.facets if facet.observed_ms > rules.floor_ms]
            if len(facets) == len(body.facets):
                continue
            rev = body.rev + 1
            profile = profile_of(facets, rules.criteria) if facets else 0
            # `removed` says that nothing is known of the subject any more
            kind = "rules" if facets else "removed"
            self._tell(
                work, tenant, subject.decode(), rev, kind, None, b"", value[0], profile, f"{rev} {rules.floor_ms}"
            )
            if facets:
                work.records[subject] = encode_record(profile, self._epoch, rev, facets)
            else:
                header = work.own_header()
                header.first_rev = max(header.first_rev, rev)
                work.records[subject] = None

    def finish_rules(self, tenant: str) -> None:
        """Note in the header that all subjects stand as the rules want them; comes after the last of them is kept."""
        work = self._work(tenant)
        work.kind = "rules"
        header = work.own_header()
        header.fingerprint = work.rules.fingerprint
        header.settings_revision = work.rules.revision
        if header.removed_ms < work.rules.floor_ms:
            header.removed_ms = work.rules.floor_ms
            header.forget_sources(header.removed_ms)

    def items(self) -> Iterator[Item]:
        """Yield what the changelog must hold before `install`: headers first, for the records rely on them.

        The first records of an epoch bring their header along. One who slept through a removal, and wakes with the
        newest claim, would else leave records of what was removed beside a header that says that it is gone.
        """
        for tenant, work in self._works.items():
            work.note_mixture()
            if work.header_changed or (work.records and work.state.header_epoch != self._epoch):
                yield Item(tenant.encode(), encode_header(self._epoch, work.header))
        for tenant, work in self._works.items():
            prefix = f"{tenant}/".encode()
            for subject, value in work.records.items():
                if value is None:
                    yield Item(prefix + subject, None, (("epoch", self._epoch),))
                else:
                    yield Item(prefix + subject, value)

    def current(self, key: bytes) -> bytes | None:
        """Return the value that a key has with this slice installed."""
        tenant, _, subject = key.partition(b"/")
        work = self._works.get(tenant.decode())
        if work is not None and subject and subject in work.records:
            return work.records[subject]
        if work is not None and not subject and work.header_changed:
            return encode_header(self._epoch, work.header)
        return self._state.current(key)

    def install(self) -> dict[str, Movement]:
        """Make the overlay the state; return what moved, by tenant that was touched."""
        moved: dict[str, Movement] = {}
        for tenant, work in self._works.items():
            if not (work.as_of_ms or work.records or work.header_changed):
                continue
            is_new = tenant not in self._state.tenants
            state = self._state.tenant(tenant)
            movement = moved[tenant] = Movement(work.kind)
            if work.header_changed or work.records:
                state.header_epoch = self._epoch
            if work.header_changed:
                state.header = work.header
            header = state.header
            if is_new:  # where only the header was lost, `finish_rules` says when all subjects have followed
                header.fingerprint, header.settings_revision = work.rules.fingerprint, work.rules.revision
                header.removed_ms = work.rules.floor_ms
            header.as_of_ms = max(header.as_of_ms, work.as_of_ms)
            for (number, source), newest_ms in work.newest.items():
                mark = header.mark(number, source)
                mark.newest_ms = max(mark.newest_ms, newest_ms)
            for (number, source), confirmed_ms in work.confirmed.items():
                mark = header.mark(number, source)
                mark.confirmed_ms = max(mark.confirmed_ms, confirmed_ms)
            enabled = work.rules.enabled
            for subject, value in work.records.items():
                before, after = state.put(subject, value)
                if before != after:
                    was = is_counted(None if before == ABSENT else before, enabled)
                    now = is_counted(None if after == ABSENT else after, enabled)
                    if was != now:
                        movement.gained += now
                        movement.lost += was
                        movement.example = subject.decode()
        return moved
