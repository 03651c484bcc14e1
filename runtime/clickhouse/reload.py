"""Owns what a start on an empty broker reads back: facts, profiles, settings, sync marks, counts, alert states."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from clickhouse_connect.driver.client import Client

from runtime.clickhouse.pool import ClientPool
from schemas.times import from_ms

_BEFORE_ALL_TIME_MS = -(1 << 62)


@dataclass(frozen=True, slots=True)
class StoredFacet:
    """The newest observation of a facet; empty `facts` = cleared or swept."""

    facet: str
    rev: int
    observed_at: datetime
    source: str
    facts: str
    facts_hash: str
    kind: str


@dataclass(frozen=True, slots=True)
class StoredSubject:
    """A subject: its highest revision and last profile over all its changes, and its facets (none after a removal)."""

    tenant: str
    subject: str
    rev: int
    profile: int
    facets: list[StoredFacet]


@dataclass(slots=True)
class _Floors:
    """Up to when a tenant's facts are void, in ms since 1970: by observation (removal), by recording (purge)."""

    removed_ms: int = _BEFORE_ALL_TIME_MS
    purged_ms: int = _BEFORE_ALL_TIME_MS

    def void(self, observed_ms: int, recorded_ms: int) -> bool:
        """Tell whether what was observed and recorded then counts no more. A purge ends the removals before it."""
        removed = self.removed_ms > self.purged_ms and observed_ms <= self.removed_ms
        return removed or recorded_ms <= self.purged_ms


@dataclass(frozen=True, slots=True)
class StoredSync:
    """The newest sync of a facet and source that a partition has seen."""

    tenant: str
    facet: str
    source: str
    partition: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The newest settings of a tenant or `_provider`, as JSON."""

    tenant: str
    revision: int
    settings: str


@dataclass(frozen=True, slots=True)
class StoredCount:
    """The newest published count of a tenant, as JSON."""

    tenant: str
    epoch: int
    version: int
    count: str


@dataclass(frozen=True, slots=True)
class StoredAlertState:
    """What the alert process kept of a tenant last, as JSON."""

    tenant: str
    state: str


_TIMES = "toUnixTimestamp64Milli(observed_at), toUnixTimestamp64Milli(recorded_at)"
_SUBJECTS = f"""SELECT tenant, subject, rev, profile, {_TIMES}
FROM subject_profiles FINAL ORDER BY tenant, subject"""
# What was told before a subject's removal is void, also where it was observed after the removal's stamp.
_FACETS = f"""SELECT tenant, subject, facet, rev, source, facts, facts_hash, kind, {_TIMES}
FROM seat_facets FINAL
LEFT JOIN (
    SELECT tenant, subject, max(rev) AS removed_rev FROM seat_changes WHERE kind = 'removed' GROUP BY tenant, subject
) AS removals USING (tenant, subject)
WHERE rev > removed_rev ORDER BY tenant, subject, facet"""
_FLOORS = """SELECT tenant, purged, toUnixTimestamp64Milli(assumeNotNull(max(removed_at)))
FROM tenant_settings WHERE removed_at IS NOT NULL GROUP BY tenant, purged"""
_SYNCS = """SELECT tenant, facet, source, partition, toUnixTimestamp64Milli(started_at)
FROM sync_marks FINAL ORDER BY tenant, facet, source, partition"""
_SETTINGS = """SELECT tenant, argMax(revision, (at, revision)), argMax(settings, (at, revision)) AS newest
FROM tenant_settings FINAL GROUP BY tenant HAVING newest != '' ORDER BY tenant"""
# Alerts are judged from counts: what is kept of a tenant without one belongs to a tenant that was purged.
_ALERT_STATES = """SELECT tenant, state FROM alert_states FINAL
WHERE tenant IN (SELECT tenant FROM latest_counts) ORDER BY tenant"""
_COUNTS = "SELECT tenant, epoch, version, count FROM latest_counts FINAL ORDER BY tenant"


def is_empty(pool: ClientPool) -> bool:
    """Tell whether nothing is stored: neither settings nor subjects."""
    with pool.lease() as client:
        tables = ("tenant_settings", "subject_profiles", "license_counts")
        return not any(client.query(f"SELECT 1 FROM {table} LIMIT 1").result_rows for table in tables)


def latest_facets(pool: ClientPool) -> Iterator[StoredSubject]:
    """Yield every subject by tenant and subject, in bounded memory. Facts up to a removal or purge are left out.

    A subject without facets comes as well: its revisions go on from `rev`, also after a removal.
    """
    with pool.lease() as first, pool.lease() as second:
        floors = _floors(first)
        facets = _facets(second, floors)
        held = next(facets, None)
        with first.query_rows_stream(_SUBJECTS) as rows:
            for tenant, subject, rev, profile, observed_ms, recorded_ms in rows:
                found: list[StoredFacet] = []
                while held is not None and held[:2] <= (tenant, subject):
                    if held[:2] == (tenant, subject):
                        found.append(held[2])
                    held = next(facets, None)
                gone = floors[tenant].void(observed_ms, recorded_ms)
                yield StoredSubject(tenant, subject, int(rev), 0 if gone else int(profile), found)


def _floors(client: Client) -> defaultdict[str, _Floors]:
    floors: defaultdict[str, _Floors] = defaultdict(_Floors)
    for tenant, purged, floor in client.query(_FLOORS).result_rows:
        if purged:
            floors[tenant].purged_ms = int(floor)
        else:
            floors[tenant].removed_ms = int(floor)
    return floors


def _facets(client: Client, floors: defaultdict[str, _Floors]) -> Iterator[tuple[str, str, StoredFacet]]:
    with client.query_rows_stream(_FACETS) as rows:
        for tenant, subject, facet, rev, source, facts, facts_hash, kind, observed_ms, recorded_ms in rows:
            if not floors[tenant].void(observed_ms, recorded_ms):
                stored = StoredFacet(facet, int(rev), from_ms(observed_ms), source, facts, facts_hash, kind)
                yield tenant, subject, stored


def sync_marks(pool: ClientPool) -> list[StoredSync]:
    """Return the newest sync of each tenant, facet, source and partition."""
    with pool.lease() as client:
        rows = client.query(_SYNCS).result_rows
    return [
        StoredSync(tenant, facet, source, int(partition), from_ms(started))
        for tenant, facet, source, partition, started in rows
    ]


def newest_settings(pool: ClientPool) -> list[StoredSettings]:
    """Return the newest settings of each tenant and of `_provider`; purged tenants have none."""
    with pool.lease() as client:
        return [
            StoredSettings(tenant, int(revision), text)
            for tenant, revision, text in client.query(_SETTINGS).result_rows
        ]


def newest_counts(pool: ClientPool) -> list[StoredCount]:
    """Return the newest published count of each tenant, by tenant."""
    with pool.lease() as client:
        return [
            StoredCount(tenant, int(epoch), int(version), text)
            for tenant, epoch, version, text in client.query(_COUNTS).result_rows
        ]


def alert_states(pool: ClientPool) -> list[StoredAlertState]:
    """Return what was kept of each tenant's alerts last, by tenant."""
    with pool.lease() as client:
        return [StoredAlertState(tenant, text) for tenant, text in client.query(_ALERT_STATES).result_rows]
