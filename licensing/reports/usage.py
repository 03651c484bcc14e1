"""Owns what a count was over a period: average, peak and overage, from stretches of it that are joined. Pure.

All sums are whole licences times whole seconds, so that however a period is cut into stretches, the sums are the same
to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Level:
    """Figures that hold from an instant on. `counted` and `matched`: of each factor, in the order of priority."""

    licensed: int
    pool: int | None
    user_licenses: int
    dr_phone_licenses: int
    enabled: int
    """Bits of the enabled factors."""
    counted: Sequence[int]
    matched: Sequence[int]

    @property
    def over(self) -> int:
        """Licences beyond the pool."""
        return 0 if self.pool is None else max(0, self.licensed - self.pool)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is known of a count from `first` to `end`, in seconds since 1970; from `end` on `last` holds."""

    first: int
    end: int
    area: int
    """Licences times seconds."""
    over_s: int
    """Seconds over the pool."""
    over_area: int
    """Licences beyond the pool times seconds."""
    counted_areas: Sequence[int]
    peak: int
    peak_at: int
    has_pool: bool
    crosses: bool
    """Whether the count crossed the pool within a bucket, so that what was over it is estimated."""
    last: Level


def moment(second: int, level: Level, peak: int | None = None) -> Stretch:
    """Return the stretch without length in which a level begins."""
    return Stretch(
        first=second,
        end=second,
        area=0,
        over_s=0,
        over_area=0,
        counted_areas=(0,) * len(level.counted),
        peak=level.licensed if peak is None else peak,
        peak_at=second,
        has_pool=level.pool is not None,
        crosses=False,
        last=level,
    )


def lasting(stretch: Stretch, end: int) -> Stretch:
    """Return a stretch whose last level goes on until `end`, in seconds since 1970."""
    length, level = end - stretch.end, stretch.last
    return replace(
        stretch,
        end=end,
        area=stretch.area + level.licensed * length,
        over_s=stretch.over_s + (length if level.over else 0),
        over_area=stretch.over_area + level.over * length,
        counted_areas=[
            area + counted * length for area, counted in zip(stretch.counted_areas, level.counted, strict=True)
        ],
    )


def joined(earlier: Stretch, later: Stretch) -> Stretch:
    """Return two stretches as one; between them the last level of the earlier one holds."""
    whole = lasting(earlier, later.first)
    higher = later if later.peak > whole.peak else whole
    return Stretch(
        first=whole.first,
        end=later.end,
        area=whole.area + later.area,
        over_s=whole.over_s + later.over_s,
        over_area=whole.over_area + later.over_area,
        counted_areas=[one + other for one, other in zip(whole.counted_areas, later.counted_areas, strict=True)],
        peak=higher.peak,
        peak_at=higher.peak_at,
        has_pool=whole.has_pool or later.has_pool,
        crosses=whole.crosses or later.crosses,
        last=later.last,
    )


def over_period(carried: Level | None, stretch: Stretch | None, start: int, end: int) -> Stretch | None:
    """Return the stretch of [start, end): `carried` held before it. None where nothing is on record by its end.

    What was carried counts only if it held for at least a second; without it the period begins with its first count.
    """
    whole = stretch
    if carried is not None and (stretch is None or stretch.first > start):
        whole = moment(start, carried) if stretch is None else joined(moment(start, carried), stretch)
    return None if whole is None else lasting(whole, end)
