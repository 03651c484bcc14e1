"""Owns a day of a tenant's history as forecasts read it, and the plain figures over days. Pure.

Sums are exact (`math.fsum`) and nothing is drawn at random: the same history gives the same forecast to the byte on
every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum

WEEK = 7


@dataclass(frozen=True, slots=True)
class Day:
    """A day of history: the most licences counted at once, and the pool at its end."""

    at: datetime
    """Its beginning, UTC."""
    peak: int
    acquired_licenses: int | None


def median(values: Sequence[float]) -> float:
    """Return the middle of at least one value."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mean(values: Sequence[float]) -> float:
    """Return the average of at least one value."""
    return fsum(values) / len(values)


def spread(values: Sequence[float]) -> float:
    """Return the standard deviation that the middle half of the values suggests; outliers do not move it."""
    middle = median(values)
    return 1.4826 * median([abs(value - middle) for value in values])
