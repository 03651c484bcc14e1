"""Owns the store that the portal reads: ClickHouse behind the port `portal.ports.Store`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from licensing.reclaim import Signals
from portal.ports import (
    AlikeSubjects,
    Bucket,
    EnabledSince,
    Erased,
    FacetFacts,
    LevelThen,
    ProfileChange,
    Recorded,
    Seat,
    SettingsRevision,
    TriedValue,
)
from portal.store import (
    alerts,
    audit,
    changes,
    criteria,
    erasure,
    facts,
    history,
    reclaim,
    seats,
    snapshot,
    sparklines,
    usage,
)
from portal.store.clients import Clients
from schemas.alert import Alert, AlertState, Delivery


class ClickHouseStore:
    """Reads of ClickHouse. Synchronous, from any number of threads: each question has a client of its own."""

    def __init__(self, clients: Clients, clock: Callable[[], datetime]) -> None:
        self._clients, self._clock = clients, clock

    def buckets(self, tenant: str, start: datetime, end: datetime, step_s: int) -> list[Bucket]:
        return history.buckets(self._clients, tenant, start, end, step_s, self._clock())

    def sparklines(
        self, tenants: Sequence[str], start: datetime, end: datetime, points: int
    ) -> Mapping[str, list[int]]:
        return sparklines.sparklines(self._clients, tenants, start, end, points)

    def seats(
        self, tenant: str, *, at: datetime | None, enabled: int, factor: str, search: str | None, after: str, limit: int
    ) -> list[Seat]:
        return seats.seats(
            self._clients, tenant, at=at, enabled=enabled, factor=factor, search=search, after=after, limit=limit
        )

    def profiles(self, tenant: str) -> dict[str, int]:
        return seats.profiles(self._clients, tenant)

    def tally(self, tenant: str, at: datetime) -> dict[int, int]:
        return seats.tally(self._clients, tenant, at)

    def profile_changes(self, tenant: str, subjects: Sequence[str], until: datetime | None) -> list[ProfileChange]:
        return changes.profile_changes(self._clients, tenant, subjects, until)

    def changes(
        self, tenant: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None, limit: int,
        ruling: Sequence[int], newest_first: bool = False,
    ) -> list[ProfileChange]:  # fmt: skip
        return changes.changes(self._clients, tenant, start, end, after, limit, ruling, newest_first)

    def rule_moves(self, tenant: str, revision: int, ruling: Sequence[int]) -> list[tuple[int | None, int, int]]:
        return changes.rule_moves(self._clients, tenant, revision, ruling)

    def facts(self, tenant: str, subject: str, at: datetime | None) -> list[FacetFacts]:
        return facts.facts(self._clients, tenant, subject, at)

    def facts_of(self, tenant: str, subjects: Sequence[str]) -> list[FacetFacts]:
        return facts.facts_of(self._clients, tenant, subjects)

    def reclaim_signals(self, tenant: str, enabled: int) -> list[Signals]:
        return reclaim.signals(self._clients, tenant, enabled)

    def all_facts(self, tenant: str) -> Iterator[FacetFacts]:
        return facts.all_facts(self._clients, tenant)

    def tried_values(self, tenant: str) -> list[TriedValue]:
        return criteria.tried_values(self._clients, tenant)

    def alike_subjects(self, tenant: str, keys: Sequence[int]) -> list[AlikeSubjects]:
        return criteria.alike_subjects(self._clients, tenant, keys)

    def display_names(self, tenant: str, subjects: Sequence[str]) -> dict[str, str | None]:
        return seats.display_names(self._clients, tenant, subjects)

    def settings_history(self, tenant: str) -> list[SettingsRevision]:
        return audit.settings_history(self._clients, tenant)

    def settings_histories(self, tenants: Sequence[str]) -> Mapping[str, list[SettingsRevision]]:
        return audit.settings_histories(self._clients, tenants)

    def closed_at(self) -> datetime:
        return usage.closed_at(self._clients)

    def tenants_on_record(self, end: datetime) -> list[str]:
        return usage.tenants_on_record(self._clients, end)

    def recorded(self, tenants: Sequence[str], start: datetime, end: datetime) -> Mapping[str, Recorded]:
        return usage.recorded(self._clients, tenants, start, end)

    def levels(self, tenants: Sequence[str], at: datetime) -> Mapping[str, LevelThen]:
        return usage.levels(self._clients, tenants, at)

    def seat_moves(
        self, start: datetime, end: datetime, enabled: Mapping[str, Sequence[EnabledSince]]
    ) -> Mapping[str, tuple[int, int]]:
        return usage.seat_moves(self._clients, start, end, enabled)

    def syncs(self, tenant: str, facet: str = "", source: str = "") -> list[dict[str, Any]]:
        return audit.syncs(self._clients, tenant, facet, source)

    def open_alerts(self) -> list[Alert]:
        return alerts.open_alerts(self._clients)

    def alert_changes(
        self, tenant: str, start: datetime, end: datetime, state: AlertState | None,
        after: tuple[datetime, str] | None, limit: int,
    ) -> list[Alert]:  # fmt: skip
        return alerts.changes(self._clients, tenant, start, end, state, after, limit)

    def deliveries(self, tenant: str, ids: Sequence[str]) -> list[Delivery]:
        return alerts.deliveries(self._clients, tenant, ids)

    def last_rev(self, tenant: str, subject: str) -> int:
        return erasure.last_rev(self._clients, tenant, subject)

    def erase(self, tenant: str, subject: str, until_rev: int, at: datetime) -> Erased:
        return erasure.erase(self._clients, tenant, subject, until_rev, at)

    def snapshot(self, table: str) -> Iterator[list[bytes]]:
        return snapshot.snapshot(self._clients, table)
