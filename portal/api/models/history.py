"""Owns the models of figures over time."""

from pydantic import Field

from portal.api.models.base import Shown
from schemas.count import FactorName, Number
from schemas.times import Instant


class Licensed(Shown):
    """Currently licensed within a step; no peak is lost."""

    min: Number
    max: Number
    last: Number
    avg: float
    """Weighted by time."""


class FactorFigures(Shown):
    """Figures of a factor at the end of a step."""

    counted: Number
    matched: Number


class Point(Shown):
    """Figures of one step; all but `currently_licensed` as they were at its end."""

    at: Instant
    """Its beginning: a multiple of the step since 1970."""
    currently_licensed: Licensed
    acquired_licenses: int | None
    available_licenses: int | None
    user_licenses: Number
    dr_phone_licenses: Number
    factors: dict[FactorName, FactorFigures]


class History(Shown):
    """Figures of [from, to) in steps."""

    start: Instant = Field(alias="from")
    to: Instant
    step: int = Field(ge=1)
    """Seconds."""
    demo_until: Instant | None
    """Points up to this one are made-up demo data; null where none is."""
    points: list[Point]
