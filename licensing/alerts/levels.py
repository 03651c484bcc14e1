"""Owns the levels of an alert: how they are ordered, and what a reading says of each. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from schemas.alert import AlertLevel, AlertRule

_RANK: dict[AlertLevel, int] = {level: rank for rank, level in enumerate(get_args(AlertLevel))}


@dataclass(frozen=True, slots=True)
class Step:
    """One way into a level. Neither entered nor left is the band between: a level that holds goes on holding there, and
    one that does not is not entered."""

    name: str
    level: AlertLevel
    entered: bool
    left: bool
    enter_after_ms: int
    """For so long it must be entered before it holds."""
    leave_after_ms: int
    threshold: float | None = None
    enduring: bool = False
    """How long it has held goes on counting when limits or pool change: a grace does not begin anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule makes of a count and of the settings that hold."""

    rule: AlertRule
    steps: Sequence[Step]
    key: str
    """The limits and the pool that it was made with: another one arms the rule anew."""
    value: float | None = None
    seats: int = 0
    pool: int | None = None
    detail: str = ""
    """What was found, in a sentence, where the value does not say it."""


def rank(level: AlertLevel | None) -> int:
    """Return the place of a level, -1 for none."""
    return -1 if level is None else _RANK[level]


def highest(levels: Iterable[AlertLevel]) -> AlertLevel | None:
    """Return the highest level, None of none."""
    return max(levels, key=rank, default=None)
