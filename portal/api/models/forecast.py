"""Owns the models of a forecast."""

from pydantic import Field

from licensing.forecast.forecast import Status
from licensing.forecast.steps import StepKind
from portal.api.models.base import Shown
from schemas.count import Number
from schemas.identifiers import TenantId
from schemas.times import Instant


class Interval(Shown):
    """Between which days the pool runs out."""

    start: Instant = Field(alias="from")
    to: Instant | None
    """Null where that is not within two years."""
    level: float
    """With this probability."""


class Step(Shown):
    """A lasting jump that is no trend."""

    at: Instant
    size: int
    """Licences."""
    kind: StepKind
    """`usage`: a migration; `pool`: bought or given back."""


class Basis(Shown):
    """The history that was looked at."""

    start: Instant = Field(alias="from")
    to: Instant
    days: Number
    """Whole days, without today."""


class ExpectedDay(Shown):
    """A day to come."""

    at: Instant
    expected: float
    """Its peak of currently licensed."""
    low: float
    high: float
    """With a probability of 80 % it lies between the two."""


class Forecast(Shown):
    """When the pool of a tenant runs out. Days are UTC."""

    tenant: TenantId
    computed_at: Instant
    acquired_licenses: int | None
    currently_licensed: Number
    status: Status
    exhausted_at: Instant | None
    """The day on which the peak is expected above the pool; `over`: the first day that it was."""
    interval: Interval | None
    """Null where even the upper end of the band stays within the pool for two years."""
    days: Number | None
    """Until the pool runs out; 0 = over."""
    trend_per_week: float | None
    """Licences; null where there is too little history."""
    steps: list[Step]
    based_on: Basis
    curve: list[ExpectedDay]
    """The next 90 days; empty where there is too little history."""
    explanation: list[str]
    """Sentences; the first can stand alone."""
