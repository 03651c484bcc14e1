"""Owns the methods that are tried: ours, and what anybody would do without one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from licensing.forecast.forecast import QUANTILE
from licensing.forecast.trend import trend_of


@dataclass(frozen=True)
class Guess:
    """What is expected at a horizon, with a band of 80 % where the method has one."""

    expected: float
    low: float | None = None
    high: float | None = None


Method = Callable[[Sequence[int], Sequence[int]], list[Guess]]
"""(peaks so far, horizons in days) to a guess a horizon."""


def ours(peaks: Sequence[int], horizons: Sequence[int]) -> list[Guess]:
    """What the product answers."""
    trend = trend_of(peaks[-365:])
    return [
        Guess(
            trend.expected(ahead),
            trend.expected(ahead) - QUANTILE * trend.deviation(ahead),
            trend.expected(ahead) + QUANTILE * trend.deviation(ahead),
        )
        for ahead in horizons
    ]


def last_value(peaks: Sequence[int], horizons: Sequence[int]) -> list[Guess]:
    """It stays as it is."""
    return [Guess(float(peaks[-1])) for _ in horizons]


def line(peaks: Sequence[int], horizons: Sequence[int]) -> list[Guess]:
    """Least squares over the last 90 days, with the usual band of a prediction."""
    window = peaks[-90:]
    size, centre = len(window), (len(window) - 1) / 2
    middle = fsum(window) / size
    breadth = fsum((day - centre) ** 2 for day in range(size))
    slope = fsum((day - centre) * (peak - middle) for day, peak in enumerate(window)) / breadth
    left = fsum((peak - middle - slope * (day - centre)) ** 2 for day, peak in enumerate(window)) / max(size - 2, 1)
    guesses = []
    for ahead in horizons:
        distance = size - 1 + ahead - centre
        error = QUANTILE * sqrt(left * (1 + 1 / size + distance**2 / breadth))
        expected = middle + slope * distance
        guesses.append(Guess(expected, expected - error, expected + error))
    return guesses


METHODS: Mapping[str, Method] = {"poolwatch": ours, "last value": last_value, "line of 90 days": line}
