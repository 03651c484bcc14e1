"""Owns the making of what is told of a change: the alert with its id, its values and its words. Pure."""

import hashlib
from dataclasses import dataclass

from licensing.alerts.levels import Reading
from licensing.alerts.triggers import Open
from licensing.alerts.words import detail, todo
from schemas.alert import Alert, AlertChange, AlertLevel
from schemas.times import from_ms


@dataclass(frozen=True, slots=True)
class Occasion:
    """Of whom a change is told, and what it stands on: epoch and version of the count, revision of the settings."""

    tenant: str
    count: tuple[int, int]
    revision: int
    removed: bool


def alert_of(occasion: Occasion, reading: Reading, kept: Open, change: AlertChange, at: int) -> Alert:
    """Return what is told of a change at an instant (ms since 1970). The same change made again has the same id."""
    level = None if change == "resolved" else kept.level
    said = f"{occasion.tenant} {reading.rule} {change} {at} {occasion.count[0]} {occasion.count[1]}"
    return Alert(
        id=hashlib.sha256(said.encode()).hexdigest()[:32],
        tenant=occasion.tenant,
        rule=reading.rule,
        change=change,
        state="resolved" if level is None else "firing",
        level=level,
        value=reading.value,
        threshold=_threshold(reading, level),
        since=from_ms(kept.since),
        at=from_ms(at),
        settings_revision=occasion.revision,
        acknowledged_by=kept.acknowledged_by,
        detail=detail(reading, level, removed=occasion.removed),
        todo=todo(reading.rule, level),
    )


def _threshold(reading: Reading, level: AlertLevel | None) -> float | None:
    """Return what the value was held against at a level; once it is over, at the lowest."""
    steps = [step for step in reading.steps if level is None or step.level == level]
    return steps[0].threshold if steps else None
