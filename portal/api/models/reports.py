"""Owns the models of reports."""

from datetime import date
from typing import Any, Literal

from pydantic import Field

from portal.api.models.base import Shown
from portal.ports import Resolution
from schemas.count import FactorName, Number
from schemas.identifiers import TenantId
from schemas.times import Instant


class UsedLicenses(Shown):
    """Currently licensed over the period."""

    peak: Number
    peak_at: Instant
    """When it was reached first; of hourly or daily figures the beginning of that hour or day."""
    average: float
    """Weighted by time."""
    last: Number


class PoolChange(Shown):
    """A change of the acquired licences."""

    at: Instant
    before: int | None = Field(alias="from")
    to: int | None


class ReportedPool(Shown):
    """The acquired licences over the period."""

    at_start: int | None
    at_end: int | None
    changes: list[PoolChange]


class Overage(Shown):
    """What was used beyond the pool."""

    hours: float
    """With more licences in use than were acquired."""
    seat_hours: float
    """Licences beyond the pool times hours."""
    exact: bool
    """False where an hour or day that crossed the pool is known by its lowest, highest and average count alone."""


class FactorUsage(Shown):
    """What was counted at a factor."""

    factor: FactorName
    label: str
    last: Number
    average: float


class SeatMoves(Shown):
    """How often a subject came to be counted, and ceased to be; not what switching a factor did to all at once."""

    gained: Number
    lost: Number


class ReportedChange(Shown):
    """A setting that bears on the count, before and after."""

    setting: str
    before: Any = Field(alias="from")
    to: Any


class ReportedSettings(Shown):
    """A change of settings that bear on the count."""

    at: Instant
    scope: Literal["tenant", "provider"]
    revision: Number
    changes: list[ReportedChange]


class MonthlyReport(Shown):
    """What a tenant used in a month (UTC)."""

    tenant: TenantId
    display_name: str | None
    month: str
    start: Instant = Field(alias="from")
    to: Instant
    until: Instant
    """Up to where figures are: `to`, or in the current month the time of asking."""
    closed: bool
    """Whether the figures stay as they are, to the byte."""
    resolution: Resolution | None
    """What they are computed of: single counts, or hourly or daily figures where those are beyond their retention; null
    where no count is on record."""
    demo: bool
    """Whether figures of it are made-up demo data."""
    covered_from: Instant | None
    """Where averages begin: `from`, or the tenant's first count."""
    currently_licensed: UsedLicenses | None
    pool: ReportedPool
    overage: Overage | None
    """Null where no pool was known."""
    factors: list[FactorUsage]
    seats: SeatMoves
    settings_changes: list[ReportedSettings]


class MonthlyLine(Shown):
    """The monthly report of a tenant in short: the columns of the CSV."""

    tenant: TenantId
    display_name: str | None
    month: str
    start: Instant = Field(alias="from")
    until: Instant
    closed: bool
    resolution: Resolution | None
    demo: bool
    covered_from: Instant | None
    peak: int | None
    peak_at: Instant | None
    average: float | None
    last: int | None
    pool: int | None
    """At the end."""
    pool_changes: Number
    overage_hours: float | None
    overage_seat_hours: float | None
    overage_exact: bool | None
    direct_routing_last: int | None
    operator_connect_last: int | None
    lifecycle_last: int | None
    user_interface_last: int | None
    service_number_last: int | None
    direct_routing_average: float | None
    operator_connect_average: float | None
    lifecycle_average: float | None
    user_interface_average: float | None
    service_number_average: float | None
    seats_gained: Number
    seats_lost: Number
    settings_changes: Number


class MonthlyLines(Shown):
    """The monthly reports of all tenants, by tenant."""

    month: str
    start: Instant = Field(alias="from")
    to: Instant
    until: Instant
    items: list[MonthlyLine]


class FactorInForce(Shown):
    """What was counted at a factor."""

    counted: Number
    matched: Number
    enabled: bool


class InForce(Shown):
    """What was in force at a tenant."""

    tenant: TenantId
    display_name: str | None
    acquired_licenses: int | None
    currently_licensed: Number
    available_licenses: int | None
    usage_percent: float | None
    user_licenses: Number
    dr_phone_licenses: Number
    factors: dict[FactorName, FactorInForce]
    demo: bool


class DailyReport(Shown):
    """What was in force at the stroke of a day, 12:00 UTC, by tenant."""

    day: date = Field(alias="date")
    at: Instant
    closed: bool
    items: list[InForce]
