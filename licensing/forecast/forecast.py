"""Owns the forecast of a tenant: when its pool runs out, how sure that is, and the days until then. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from licensing.forecast.days import WEEK, Day
from licensing.forecast.steps import Step, steps_of
from licensing.forecast.trend import Trend, trend_of

Status = Literal["runs_out", "no_end_in_sight", "over", "too_little_data", "no_pool"]

LEVEL = 0.8
"""Probability of the bands and of the interval."""
QUANTILE = 1.2815515655446004
"""Standard deviations to either side that hold it."""
NEEDED_DAYS = 3 * WEEK
HISTORY_DAYS = 365
HORIZON_DAYS = 730
"""Further ahead nothing is said."""
CURVE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Interval:
    """Between which days the pool runs out, with the probability LEVEL; None: not within the horizon."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a day's peak, and the band around it."""

    at: datetime
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the history says of the days to come. Days are UTC."""

    computed_at: datetime
    acquired_licenses: int | None
    currently_licensed: int
    status: Status
    exhausted_at: datetime | None = None
    """The day on which the peak is expected above the pool; if it is over already: the first day that it was."""
    days: int | None = None
    """Until then; 0 = over already."""
    interval: Interval | None = None
    trend_per_week: float | None = None
    """None where there is too little history."""
    steps: Sequence[Step] = ()
    history: Sequence[Day] = ()
    """What it is based on; today is its last day, with the count of now."""
    curve: Sequence[Expected] = ()


def forecast(days: Sequence[Day], now: datetime, licensed: int, acquired: int | None) -> Forecast:
    """Say when the pool runs out. `days`: all closed days that are known, oldest first, without a gap; `licensed` and
    `acquired` are the count of now."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    closed = [day for day in days if day.at < today]
    history = [*closed[-HISTORY_DAYS:], Day(today, licensed, acquired)]
    over = acquired is not None and licensed > acquired
    since = _over_since(history) if over else None
    nearest = 0 if over else None
    if len(closed) < NEEDED_DAYS:
        status: Status = "over" if over else "no_pool" if acquired is None else "too_little_data"
        return Forecast(now, acquired, licensed, status, since, nearest, history=history)
    trend = trend_of([day.peak for day in history])
    curve = [_expected(trend, today, ahead) for ahead in range(1, HORIZON_DAYS + 1)]
    exhausted, interval = since, None
    if acquired is None:
        status = "no_pool"
    elif over:
        status = "over"
    else:
        first = _first_above(acquired, [day.expected for day in curve])
        earliest = _first_above(acquired, [day.high for day in curve])
        latest = _first_above(acquired, [day.low for day in curve])
        status = "no_end_in_sight" if first is None else "runs_out"
        nearest = None if first is None else first + 1
        exhausted = None if first is None else curve[first].at
        if earliest is not None:
            interval = Interval(curve[earliest].at, None if latest is None else curve[latest].at)
    return Forecast(
        now, acquired, licensed, status, exhausted, nearest, interval,
        round(trend.drift, 2) + 0.0,  # no negative zero
        steps_of(history, trend.jumps), history, curve[:CURVE_DAYS],
    )  # fmt: skip


def _expected(trend: Trend, today: datetime, ahead: int) -> Expected:
    middle, band = trend.expected(ahead), QUANTILE * trend.deviation(ahead)
    low = max(0.0, middle - band)
    return Expected(today + timedelta(days=ahead), round(middle, 1), round(low, 1), round(middle + band, 1))


def _first_above(pool: int, values: Sequence[float]) -> int | None:
    """Return the first place at which more licences than the pool are needed; a part of one is none."""
    return next((place for place, value in enumerate(values) if round(value) > pool), None)


def _over_since(history: Sequence[Day]) -> datetime:
    since = history[-1].at
    for day in reversed(history):
        if day.acquired_licenses is None or day.peak <= day.acquired_licenses:
            break
        since = day.at
    return since
