"""Owns the coalescing of published counts to a row a second and tenant: pure, and the same again when they come twice.

The ledger holds the newest row of each tenant. It is seeded with the rows that ClickHouse has (`latest_counts`), so
after a crash it goes on in the second where it stopped: minimum and maximum stay true, causes are summed once.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from licensing.factors import FACTORS
from schemas.times import EPOCH, AwareTime, format_time, to_ms

HEARTBEAT_S = 3_600
"""A tenant whose count does not change gets a row an hour."""


class WireFactor(msgspec.Struct, gc=False):
    """What a row takes of a factor of a count."""

    factor: str
    enabled: bool
    counted: int
    matched: int


class WireCause(msgspec.Struct, gc=False):
    """What a row takes of a count's cause."""

    kind: str
    subjects_gained: int = 0
    subjects_lost: int = 0


class WireCount(msgspec.Struct, gc=False):
    """What a row takes of `schemas.count.Count`."""

    tenant: str
    epoch: int
    version: int
    settings_revision: int
    as_of: AwareTime | None
    computed_at: AwareTime
    stale: bool
    acquired_licenses: int | None
    currently_licensed: int
    user_licenses: int
    dr_phone_licenses: int
    factors: list[WireFactor]
    cause: WireCause
    profiles: dict[str, int] = {}


class CountRow(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A row of `license_counts`; `at` in seconds since 1970, the figures those of the last count in that second."""

    tenant: str
    at: int
    epoch: int
    version: int
    settings_revision: int
    as_of: str | None
    computed_at: str
    stale: bool
    acquired_licenses: int | None
    currently_licensed: int
    min: int
    max: int
    previous: int | None
    """What was in force before this row; None: nothing is known."""
    user_licenses: int
    dr_phone_licenses: int
    enabled: int
    direct_routing_counted: int
    direct_routing_matched: int
    operator_connect_counted: int
    operator_connect_matched: int
    lifecycle_counted: int
    lifecycle_matched: int
    user_interface_counted: int
    user_interface_matched: int
    service_number_counted: int
    service_number_matched: int
    profiles: dict[str, int]
    cause: str
    subjects_gained: int
    subjects_lost: int
    demo: bool = False


decode_count = msgspec.json.Decoder(WireCount).decode
_BITS: dict[str, int] = {factor.name: factor.bit for factor in FACTORS}


class CountLedger:
    """The newest row of each tenant."""

    def __init__(self, *, demo: bool = False) -> None:
        self._rows: dict[str, CountRow] = {}
        self._demo = demo

    def seed(self, rows: Iterable[CountRow]) -> None:
        """Forget all, and go on from these rows."""
        self._rows = {row.tenant: row for row in rows}

    def forget(self, tenant: str) -> None:
        """Forget a tenant that was purged."""
        self._rows.pop(tenant, None)

    def take(self, count: WireCount) -> CountRow | None:
        """Fold a count in; return the row of its second as it now is, or None for a count that is not newer."""
        newest = self._rows.get(count.tenant)
        if newest is not None and (count.epoch, count.version) <= (newest.epoch, newest.version):
            return None
        row = self._rows[count.tenant] = _row(count, newest, self._demo)
        return row

    def heartbeats(self, now: datetime) -> list[CountRow]:
        """Return a row for each tenant without one since this hour began, as of its start; they become the newest."""
        hour = to_ms(now) // 1_000 // HEARTBEAT_S * HEARTBEAT_S
        quiet = [row for row in self._rows.values() if row.at < hour]
        beats = [
            msgspec.structs.replace(
                row, at=hour, min=row.currently_licensed, max=row.currently_licensed, previous=row.currently_licensed,
                cause="heartbeat", subjects_gained=0, subjects_lost=0,
            )
            for row in quiet
        ]  # fmt: skip
        self._rows.update({row.tenant: row for row in beats})
        return beats


def _row(count: WireCount, newest: CountRow | None, demo: bool) -> CountRow:
    licensed = count.currently_licensed
    # Clocks of counters differ: a tenant's rows stay in the order of its versions.
    at = max((to_ms(count.computed_at)) // 1_000, newest.at if newest else 0)
    same_second = newest is not None and newest.at == at
    low = high = licensed
    gained, lost = count.cause.subjects_gained, count.cause.subjects_lost
    if newest is not None and same_second:
        low, high = min(licensed, newest.min), max(licensed, newest.max)
        gained, lost = gained + newest.subjects_gained, lost + newest.subjects_lost
    figures = {
        f"{factor.factor}_{what}": getattr(factor, what) for factor in count.factors for what in ("counted", "matched")
    }
    return CountRow(
        tenant=count.tenant,
        at=at,
        epoch=count.epoch,
        version=count.version,
        settings_revision=count.settings_revision,
        as_of=format_time(count.as_of) if count.as_of else None,
        computed_at=format_time(max(count.computed_at, EPOCH)),
        stale=count.stale,
        acquired_licenses=count.acquired_licenses,
        currently_licensed=licensed,
        min=low,
        max=high,
        previous=None if newest is None else newest.previous if same_second else newest.currently_licensed,
        user_licenses=count.user_licenses,
        dr_phone_licenses=count.dr_phone_licenses,
        enabled=sum(_BITS[factor.factor] for factor in count.factors if factor.enabled),
        profiles=count.profiles,
        cause=count.cause.kind,
        subjects_gained=gained,
        subjects_lost=lost,
        demo=demo,
        **figures,
    )
