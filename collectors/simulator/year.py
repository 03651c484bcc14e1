"""Owns a made-up past of a tenant: growth, a migration, purchases; it ends in what it is now."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from collectors.simulator.subjects import DIRECT_ROUTING, DR_PHONE, LICENSED, OPERATOR_CONNECT

_HOURS = (8, 12, 17)
_VOICE = DIRECT_ROUTING | OPERATOR_CONNECT | DR_PHONE
_YEAR_DAYS = 365
_QUIET_DAYS = 3
"""The noise of working days fades over the last ones, so that live data go on without a jump."""


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """What a tenant counted at an instant: its pool, and the number of subjects by profile."""

    tenant: str
    at: datetime
    acquired_licenses: int
    profiles: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Past:
    """How a tenant became what it is: `growth` of the year, a migration to voice that ended some days ago,
    purchases."""

    growth: float
    migrated_share: float
    migration_end: int
    migration_days: int
    purchases: tuple[int, ...]

    def size_at(self, age: float) -> float:
        return 1 - self.growth * age / _YEAR_DAYS

    def voice_at(self, age: float) -> float:
        """Return the share of today's voice users who had been migrated `age` days ago."""
        done = 1 - min(max((age - self.migration_end) / self.migration_days, 0.0), 1.0)
        return 1 - self.migrated_share * (1 - done)


def year_of(
    tenant: str, tally: Mapping[int, int], pool: int, end: datetime, days: int, rng: Random
) -> Iterator[HistoryPoint]:
    """Give out points of the `days` before `end`, oldest first: three a working day, one a day of rest, and `end`
    itself."""
    past = _Past(
        growth=rng.uniform(-0.08, 0.35),
        migrated_share=rng.choice((0.0, 0.3, 0.6)),
        migration_end=rng.randrange(20, 200),
        migration_days=rng.randrange(5, 40),
        purchases=tuple(sorted(rng.sample(range(15, 360), rng.randrange(1, 4)))),
    )
    midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
    noise = 0.0
    for age in range(days, -1, -1):
        day = midnight - timedelta(days=age)
        is_working = day.weekday() < 5
        for hour in _HOURS if is_working else _HOURS[:1]:
            at = day + timedelta(hours=hour)
            exact_age = (end - at) / timedelta(days=1)
            if not 0 < exact_age <= days:
                continue
            # Hires come in the morning and leavers go in the evening; nobody does on days of rest.
            noise = rng.uniform(0, 0.012) * (1 if hour == _HOURS[1] else -0.3) if is_working else noise
            size = past.size_at(exact_age) * (1 + noise * min(1.0, exact_age / _QUIET_DAYS))
            yield HistoryPoint(
                tenant, at, _pool_at(pool, past, exact_age), _profiles_at(tally, size, past.voice_at(exact_age))
            )
    yield HistoryPoint(tenant, end, pool, dict(tally))


def _profiles_at(tally: Mapping[int, int], size: float, voice: float) -> dict[int, int]:
    profiles: Counter[int] = Counter()
    for profile, now in tally.items():
        there = round(now * size)
        migrated = round(there * voice) if profile & _VOICE else there
        profiles[profile] += migrated
        # Before the migration they were there, with a licence and without a number.
        profiles[(profile & ~_VOICE) | LICENSED] += there - migrated
    return {profile: number for profile, number in sorted(profiles.items()) if number}


def _pool_at(pool: int, past: _Past, age: float) -> int:
    """Return the pool: bought in steps, each as big as the growth since the one before."""
    bought_at = max((purchase for purchase in past.purchases if purchase < age), default=None)
    if bought_at is None:
        return pool
    return max(round(pool * past.size_at(bought_at) / 5) * 5, 0)
