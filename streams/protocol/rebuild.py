"""Owns the making of the meter's state out of stored facts, for a broker that has forgotten it (cause `rebuild`, no
seat changes)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from licensing.facets import NUMBER_OF, Facet, facet_of
from licensing.profile import profile_of
from schemas.identifiers import partition_of, subject_key
from schemas.times import to_ms
from streams.protocol.effects import Item
from streams.protocol.record import Header, encode_header, encode_record, epoch_bytes
from streams.protocol.settings_book import SettingsBook
from streams.protocol.slice import ASSUMED_SOURCE, Movement
from streams.protocol.state import TenantState
from streams.protocol.tallies import tally_message

_NO_EPOCH = 0
"""What is rebuilt was written by no owner: the first claim is higher, for the records lie below it."""


class StoredFacet(Protocol):
    """The newest stored observation of a facet; empty `facts` = cleared or swept."""

    @property
    def facet(self) -> str: ...
    @property
    def observed_at(self) -> datetime: ...
    @property
    def source(self) -> str: ...
    @property
    def facts(self) -> str: ...
    @property
    def facts_hash(self) -> str: ...


class StoredSubject(Protocol):
    """A stored subject; one without facets was removed, and its revisions go on from `rev`."""

    @property
    def tenant(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def rev(self) -> int: ...
    @property
    def facets(self) -> Sequence[StoredFacet]: ...


class StoredSync(Protocol):
    """The newest stored sync of a source in one partition."""

    @property
    def tenant(self) -> str: ...
    @property
    def facet(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def started_at(self) -> datetime: ...


class Rebuild:
    """Turns stored facts into records of the changelog, subject by subject; then come headers and tallies."""

    def __init__(
        self, book: SettingsBook, partitions: int, syncs: Iterable[StoredSync], as_of: dict[str, datetime]
    ) -> None:
        """`as_of`: of each tenant's newest count."""
        self._book = book
        self._partitions = partitions
        self._states: dict[tuple[int, str], TenantState] = {}
        self._as_of = as_of
        for sync in syncs:
            mark = self._state(sync.partition, sync.tenant).header.mark(NUMBER_OF[sync.facet], sync.source)
            mark.swept_ms = mark.confirmed_ms = to_ms(sync.started_at)

    def _state(self, partition: int, tenant: str) -> TenantState:
        """Return header and tally of a tenant in a partition; its records are not kept."""
        state = self._states.get((partition, tenant))
        if state is None:
            rules = self._book.rules_of(tenant)
            as_of = self._as_of.get(tenant)
            state = self._states[partition, tenant] = TenantState()
            state.header = Header(
                fingerprint=rules.fingerprint,
                settings_revision=rules.revision,
                as_of_ms=to_ms(as_of) if as_of is not None else 0,
                removed_ms=rules.floor_ms,
                sources={},
            )
        return state

    def record(self, stored: StoredSubject) -> tuple[int, Item] | None:
        """Return partition and record of a subject, None for one that was removed."""
        key = subject_key(stored.tenant, stored.subject)
        partition = partition_of(key, self._partitions)
        state = self._state(partition, stored.tenant)
        header = state.header
        if not stored.facets:
            header.first_rev = max(header.first_rev, stored.rev)
            return None
        facets = [self._facet(header, facet) for facet in stored.facets]
        profile = profile_of(facets, self._book.rules_of(stored.tenant).criteria)
        state.tally[profile] = state.tally.get(profile, 0) + 1
        return partition, Item(key, encode_record(profile, epoch_bytes(_NO_EPOCH), stored.rev, facets))

    def _facet(self, header: Header, stored: StoredFacet) -> Facet:
        number = NUMBER_OF[stored.facet]
        observed_ms = to_ms(stored.observed_at)
        if stored.facts:
            # What a sync has seen again without a change is stored as observed before it; since it was not swept, it
            # was seen.
            observed_ms = max(observed_ms, header.swept_ms(number, stored.source))
        if stored.source != ASSUMED_SOURCE:
            mark = header.mark(number, stored.source)
            mark.newest_ms = max(mark.newest_ms, observed_ms)
        return facet_of(number, observed_ms, bytes.fromhex(stored.facts_hash), stored.source, stored.facts)

    def headers(self) -> Iterable[tuple[int, Item]]:
        """Yield partition and header of each tenant; complete once every subject has been through `record`."""
        for (partition, tenant), state in self._states.items():
            yield partition, Item(tenant.encode(), encode_header(epoch_bytes(_NO_EPOCH), state.header))

    def tallies(self) -> Iterable[tuple[int, Item]]:
        """Yield partition and tally of each tenant, when the headers are complete.

        A counter that starts finds the whole count in them. Without them it would sum up what the meters publish
        partition by partition, and the count would dip at every start.
        """
        for (partition, tenant), state in self._states.items():
            movement = Movement("rebuild")
            item = tally_message(tenant, state, movement, partition, self._partitions, _NO_EPOCH, 0)
            yield partition_of(tenant.encode(), self._partitions), item
