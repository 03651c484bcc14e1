"""Owns what a history says of the days to come: its level, its drift a week, its pattern of weekdays, and how sure that
is. Pure.

A week's value is the median of its days once steps and weekdays are taken out. Weekly moves are a drift, plus a walk
(what happens stays), plus noise (what comes back); moves over one and over four weeks tell the last two apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, sqrt

from licensing.forecast.days import WEEK, mean, median, spread
from licensing.forecast.steps import usage_jumps, without_jumps

_PATTERN_WEEKS = 12
"""So many of the last weeks show what weekdays are like."""
_PATTERN_NEEDS_WEEKS = 4
_HALF_LIFE_WEEKS = 13.0
"""A move so long ago weighs half as much as the last one."""
_MOST_SPREADS = 3.0
"""A weekly move beyond is taken as if it were only so far out: migrations also take weeks."""
_LEAST_SPREAD = 0.5
_LONG_WEEKS = (4, 8)
_LEAST_WALK = 0.05
_LATEST_DAYS = 3
_TURN = 0.35
"""How much of the weekly spread the drift itself may come to change by, so that long bands are honest."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Level and drift of the peak of a day, in licences. Days ahead are counted from the last day of the history."""

    level: float
    drift: float
    """A week."""
    pattern: Sequence[float]
    """What to add, by the number of days ahead modulo 7."""
    noise: float
    walk: float
    """A week; grows with the root of time."""
    drift_error: float
    jumps: dict[int, float]

    def expected(self, ahead: float) -> float:
        """Return what is expected so many days ahead."""
        return max(0.0, self.level + self.drift * ahead / WEEK + self.pattern[int(ahead) % WEEK])

    def deviation(self, ahead: float) -> float:
        """Return the standard deviation of what is expected."""
        weeks = ahead / WEEK
        return sqrt(self.noise**2 + weeks * self.walk**2 + (weeks * self.drift_error) ** 2)


def trend_of(peaks: Sequence[int]) -> Trend:
    """Read the trend of a peak a day, at least three weeks of them, oldest first."""
    pattern = _pattern(peaks)
    last = len(peaks) - 1
    flat = [peak - pattern[(day - last) % WEEK] for day, peak in enumerate(peaks)]
    jumps = usage_jumps(flat)
    smooth = without_jumps(flat, jumps)
    weeks = [median(smooth[max(0, end - WEEK) : end]) for end in range(len(smooth), WEEK - 1, -WEEK)][::-1]
    moves = [after - before for before, after in pairwise(weeks)]
    usual = median(moves)
    scale = max(spread(moves), _LEAST_SPREAD)
    bounded = [min(max(move, usual - _MOST_SPREADS * scale), usual + _MOST_SPREADS * scale) for move in moves]
    weights = [0.5 ** (age / _HALF_LIFE_WEEKS) for age in range(len(bounded) - 1, -1, -1)]
    total = fsum(weights)
    drift = fsum(weight * move for weight, move in zip(weights, bounded, strict=True)) / total
    noise, walk = _noise_and_walk(bounded, drift, _daily_noise(smooth))
    effective = total**2 / fsum(weight**2 for weight in weights)
    # Noise at both ends of the history tilts the drift as well.
    error = sqrt((walk**2) / effective + 2 * (noise / effective) ** 2 + (_TURN * walk) ** 2)
    drift *= drift**2 / (drift**2 + error**2) if error else 1.0
    # The last value tells most, but one that stands out from its neighbours is a slip as likely as not.
    latest = median(smooth[-_LATEST_DAYS:])
    level = min(max(smooth[-1], latest - noise), latest + noise)
    return Trend(level, drift, pattern, noise, walk, error, jumps)


def _pattern(peaks: Sequence[int]) -> list[float]:
    """Return by how much each weekday differs from the week around it; the last day of the history is number 0."""
    last = len(peaks) - 1
    if len(peaks) < _PATTERN_NEEDS_WEEKS * WEEK:
        return [0.0] * WEEK
    apart: list[list[float]] = [[] for _ in range(WEEK)]
    for day in range(max(3, last - _PATTERN_WEEKS * WEEK), last - 2):
        apart[(day - last) % WEEK].append(peaks[day] - mean(peaks[day - 3 : day + 4]))
    middles = [median(values) for values in apart]
    centre = mean(middles)
    return [middle - centre for middle in middles]


def _daily_noise(smooth: Sequence[float]) -> float:
    """Return how far days lie from the days around them."""
    recent = smooth[-_PATTERN_WEEKS * WEEK :]
    apart = [recent[day] - (recent[day - 1] + recent[day + 1]) / 2 for day in range(1, len(recent) - 1)]
    return sqrt(mean([value**2 for value in apart]) / 1.5)


def _noise_and_walk(moves: Sequence[float], drift: float, daily: float) -> tuple[float, float]:
    """Return the standard deviations of what comes back (of a day), and of what stays (of a week)."""
    short = mean([(move - drift) ** 2 for move in moves])
    spans = [_variance_over(moves, drift, weeks) / weeks for weeks in _LONG_WEEKS if len(moves) >= 2 * weeks]
    walk = max([_LEAST_WALK * short, *spans]) if spans else short
    return max(daily, sqrt(max(short - walk, 0.0) / 2)), sqrt(walk)


def _variance_over(moves: Sequence[float], drift: float, weeks: int) -> float:
    return mean([(fsum(moves[end - weeks : end]) - weeks * drift) ** 2 for end in range(weeks, len(moves) + 1)])
