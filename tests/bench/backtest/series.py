"""Owns the series that forecasts are tried on: kinds of tenants, made up from a seed, and the simulator's year."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, pi
from random import Random

from collectors.simulator.simulator import Simulator
from licensing.count import figures
from licensing.factors import enabled_mask

DAYS = 540
START = datetime(2025, 1, 6, tzinfo=UTC)
"""A Monday."""


@dataclass(frozen=True)
class Series:
    """The peak of each day of one made-up tenant, and the pool that errors are told in percent of."""

    kind: str
    peaks: list[int]
    pool: int


def _hires(rng: Random, level: float, a_week: float) -> list[float]:
    """Mondays hire, Fridays leave, weekends rest."""
    levels = []
    for day in range(DAYS):
        weekday = day % 7
        if weekday < 5:
            share = 0.6 if weekday == 0 else 0.1
            leavers = 0.3 * abs(a_week) if weekday == 4 else 0.0
            level += share * (a_week + 0.3 * abs(a_week)) - leavers + rng.gauss(0, max(abs(a_week), 0.3) * 0.4)
        levels.append(max(level, 0.0))
    return levels


def _growing(rng: Random) -> list[float]:
    return _hires(rng, rng.uniform(200, 2_000), rng.uniform(2, 12))


def _noisy(rng: Random) -> list[float]:
    return [
        level + abs(rng.gauss(0, 0.012 * level)) * (day % 7 < 5)
        for day, level in enumerate(_hires(rng, rng.uniform(200, 2_000), rng.uniform(2, 8)))
    ]


def _migrating(rng: Random) -> list[float]:
    levels = _hires(rng, rng.uniform(200, 800), rng.uniform(0, 4))
    for _ in range(3):
        begin, days, size = rng.randrange(20, DAYS - 20), rng.choice((1, 1, 3, 25)), rng.uniform(40, 300)
        levels = [level + size * min(max((day - begin) / days, 0.0), 1.0) for day, level in enumerate(levels)]
    return levels


def _seasonal(rng: Random) -> list[float]:
    """A dip in summer of a tenth."""
    return [
        level * (1 - 0.1 * max(0.0, cos(2 * pi * (day - 195) / 365)) ** 3)
        for day, level in enumerate(_hires(rng, rng.uniform(200, 2_000), rng.uniform(1, 6)))
    ]


def _shrinking(rng: Random) -> list[float]:
    return _hires(rng, rng.uniform(800, 2_000), -rng.uniform(1, 6))


def _small(rng: Random) -> list[float]:
    level, levels = 10, []
    for day in range(DAYS):
        if day % 7 < 5 and rng.random() < 0.03:
            level = max(1, level + rng.choice((1, 1, -1)))
        levels.append(float(level))
    return levels


def _flat(rng: Random) -> list[float]:
    return [float(rng.randrange(20, 900))] * DAYS


def _turning(rng: Random) -> list[float]:
    """Growth changes every quarter or so."""
    level, pace, levels = rng.uniform(200, 2_000), rng.gauss(0.5, 0.8), []
    for day in range(DAYS):
        pace = rng.gauss(0.5, 0.8) if rng.random() < 1 / 90 else pace
        level += (pace * 1.4 + rng.gauss(0, 0.8)) * (day % 7 < 5)
        levels.append(max(level, 0.0))
    return levels


KINDS: Mapping[str, Callable[[Random], list[float]]] = {
    "growing": _growing,
    "growing, noisy": _noisy,
    "migrations": _migrating,
    "summer dip": _seasonal,
    "shrinking": _shrinking,
    "ten seats": _small,
    "flat": _flat,
    "turning": _turning,
}


def all_series(seed: int, of_a_kind: int) -> Iterator[Series]:
    """Give out so many series of each kind, then those of the simulator's tenants."""
    for kind, make in KINDS.items():
        for number in range(of_a_kind):
            peaks = [round(level) for level in make(Random(f"{seed}/{kind}/{number}"))]
            yield Series(kind, peaks, max(peaks[DAYS // 2] * 6 // 5, 1))
    yield from _simulated(seed, of_a_kind * 2)


def _simulated(seed: int, tenants: int) -> Iterator[Series]:
    simulator = Simulator(seed, tenants, START + timedelta(days=DAYS))
    masks = {one.tenant: enabled_mask(one) for one in simulator.settings()}
    peaks: dict[str, dict[datetime, int]] = defaultdict(dict)
    pools: dict[str, int] = {}
    for point in simulator.year_of_counts(DAYS):
        day = point.at.replace(hour=0, minute=0, second=0, microsecond=0)
        counted = figures(point.profiles, masks[point.tenant], point.acquired_licenses).currently_licensed
        peaks[point.tenant][day] = max(counted, peaks[point.tenant].get(day, 0))
        pools[point.tenant] = point.acquired_licenses
    for tenant, by_day in peaks.items():
        yield Series("simulator", [by_day[day] for day in sorted(by_day)], max(pools[tenant], 1))
