"""Owns the steps in a history: usage that jumps to another level within a day, as by a migration, and changes of the
pool. Neither is a trend. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from licensing.forecast.days import WEEK, Day, median, spread

StepKind = Literal["usage", "pool"]

_SMALLEST = 3.0
"""Seats: two hires on a day are an ordinary day, also in a tenant of ten."""
_SHARE = 0.03
_SPREADS = 6.0
_LASTING = 0.6
"""So much of a jump must still be there in the week after it: a spike is no step."""


@dataclass(frozen=True, slots=True)
class Step:
    """A lasting change of usage or of the pool, by so many licences."""

    at: datetime
    size: int
    kind: StepKind


def usage_jumps(levels: Sequence[float]) -> dict[int, float]:
    """Return the days whose level lastingly differs from the one before far more than days do, and by how much.

    `levels`: a value a day, without the pattern of the week.
    """
    moves = [after - before for before, after in pairwise(levels)]
    if not moves:
        return {}
    usual, scale = median(moves), spread(moves)
    jumps = {}
    for day, move in enumerate(moves, start=1):
        smallest = max(_SMALLEST, _SHARE * levels[day - 1], _SPREADS * scale)
        if abs(move - usual) < smallest:
            continue
        lasting = median(levels[day : day + WEEK]) - median(levels[max(0, day - WEEK) : day])
        if lasting * move > 0 and abs(lasting) >= _LASTING * abs(move):
            jumps[day] = move - usual
    return jumps


def without_jumps(levels: Sequence[float], jumps: dict[int, float]) -> list[float]:
    """Return the levels as they would have been had the newest level held from the beginning."""
    lifted, later = [], 0.0
    for day in range(len(levels) - 1, -1, -1):
        lifted.append(levels[day] + later)
        later += jumps.get(day, 0.0)
    return lifted[::-1]


def steps_of(days: Sequence[Day], jumps: dict[int, float]) -> list[Step]:
    """Return the steps in order of time; jumps of a week in the same direction are one migration."""
    usage: list[Step] = []
    for day, size in sorted(jumps.items()):
        step = Step(days[day].at, round(size), "usage")
        before = usage[-1] if usage else None
        if before and (step.at - before.at).days <= WEEK and before.size * step.size > 0:
            usage[-1] = replace(before, size=before.size + step.size)
        else:
            usage.append(step)
    pool = [
        Step(after.at, after.acquired_licenses - before.acquired_licenses, "pool")
        for before, after in pairwise(days)
        if before.acquired_licenses is not None
        and after.acquired_licenses is not None
        and before.acquired_licenses != after.acquired_licenses
    ]
    return sorted([*usage, *pool], key=lambda step: (step.at, step.kind))
