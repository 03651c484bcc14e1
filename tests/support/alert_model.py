"""A plain model of the pool's alert: it looks at all of the past at each instant, and keeps no state of its own but
which levels hold. Times in ms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("warning", "critical", "over", "over_grace")
POOL = 100


@dataclass(frozen=True)
class Limits:
    """Limits of one tenant with a pool of 100; the band below each level is `margin` wide."""

    warning: int
    critical: int
    margin: int
    dwell_s: int
    grace: int

    def settings(self) -> dict[str, Any]:
        """Return them as settings."""
        return {
            "warning_percent": float(self.warning),
            "critical_percent": float(self.critical),
            "clear_percent": float(self.warning - self.margin),
            "dwell_s": self.dwell_s,
            "grace_percent": float(self.grace),
            "remind_after_s": 0,
        }

    def _line(self, level: str) -> int:
        return {"warning": self.warning, "critical": self.critical, "over": 101, "over_grace": 101 + self.grace}[level]

    def enters(self, level: str, used: int) -> bool:
        """Tell whether a usage is at a level or above it."""
        return used >= self._line(level)

    def leaves(self, level: str, used: int) -> bool:
        """Tell whether a usage is below a level and its band."""
        if level in ("over", "over_grace"):
            return not self.enters(level, used)
        return used < self._line(level) - self.margin


def expected(counts: Sequence[tuple[int, int]], own: Limits, until: int) -> list[tuple[int, str | None]]:
    """Return each instant up to `until` at which another level is told. `counts`: instants and what was in use."""
    dwell = own.dwell_s * 1_000
    begins = [at for at, _ in counts]
    holds = dict.fromkeys(LEVELS, False)
    told: list[tuple[int, str | None]] = []
    for now in sorted({*begins, *(at + dwell for at in begins)}):
        if now > until or now - dwell < begins[0]:
            continue
        lasted = [used for at, used in counts if now - dwell < at <= now]
        before = [used for at, used in counts if at <= now - dwell]
        for level in LEVELS:
            test = own.leaves if holds[level] else own.enters
            if all(test(level, used) for used in (before[-1], *lasted)):
                holds[level] = not holds[level]
        level_now = next((level for level in reversed(LEVELS) if holds[level]), None)
        if level_now != (told[-1][1] if told else None):
            told.append((now, level_now))
    return told
