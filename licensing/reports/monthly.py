"""Owns the figures of a billing report, from the stretch of its period: rounded once, and only here. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from licensing.factors import FACTORS
from licensing.reports.usage import Stretch
from schemas.count import FactorName

_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class FactorUsage:
    """What a factor counted: at the end of a period, and on average over time."""

    last: int
    average: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant used in a period. Averages are weighted by time; instants are seconds since 1970."""

    covered_from: int
    """Where the period begins, or the tenant's first count in it."""
    peak: int
    peak_at: int
    average: float
    last: int
    pool: int | None
    overage_hours: float | None
    """Hours over the pool; None, as the next one, where there was none at any time."""
    overage_seat_hours: float | None
    """Licences beyond the pool times hours."""
    overage_is_exact: bool
    """False where the count crossed the pool within a closed bucket, so that the two above are estimates."""
    factors: Mapping[FactorName, FactorUsage]


def usage_of(whole: Stretch) -> Usage:
    """Return the figures of a period, from the stretch of all of it."""
    length = whole.end - whole.first

    def average(area: int, last: int) -> float:
        return round(area / length, 2) if length else float(last)

    return Usage(
        covered_from=whole.first,
        peak=whole.peak,
        peak_at=whole.peak_at,
        average=average(whole.area, whole.last.licensed),
        last=whole.last.licensed,
        pool=whole.last.pool,
        overage_hours=round(whole.over_s / _HOUR_S, 2) if whole.has_pool else None,
        overage_seat_hours=round(whole.over_area / _HOUR_S, 2) if whole.has_pool else None,
        overage_is_exact=not whole.crosses,
        factors={
            factor.name: FactorUsage(last, average(area, last))
            for factor, last, area in zip(FACTORS, whole.last.counted, whole.counted_areas, strict=True)
        },
    )
