"""Owns the simulated provider: repeatable by its seed, with the clock as an argument."""

import heapq
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random

from collectors.simulator import contoso
from collectors.simulator.changes import SYNCED_FACETS, Event, change_something, full_sync, marker, news
from collectors.simulator.site import make_site
from collectors.simulator.year import HistoryPoint, year_of
from schemas.settings import TenantSettings

CONFIRM_EVERY = timedelta(minutes=15)
SYNC_EVERY = timedelta(days=1)
_LATE_SHARE = _REPEATED_SHARE = 0.04
_MOST_LATE_S = 20 * 60
_NIGHT = 0.2
"""Share of the working day's pace at nights and weekends."""


class Simulator:
    """A provider of contoso, which stands still, and `tenants` others, which live.

    The same seed, tenants and start give the same events byte for byte, however `steps` is cut; so a process that
    starts again may skip what it has already told. `mean_gap_s`: seconds between two changes of the whole provider in
    working hours.
    """

    def __init__(self, seed: int, tenants: int, start: datetime, mean_gap_s: float = 5.0) -> None:
        self._seed = seed
        self._start = start
        self._mean_gap_s = mean_gap_s
        self._rng = Random(f"{seed}/provider")  # repeatable, and nothing to guard
        self._sites = [make_site(seed, place, start) for place in range(tenants)]
        self._sizes = [len(site.people) for site in self._sites]
        self._order = count()
        self._agenda: list[tuple[datetime, int, str, int, list[Event]]] = []
        if self._sites:
            self._plan_first()

    def settings(self) -> list[TenantSettings]:
        """Return the settings of every tenant, contoso first."""
        return [contoso.settings()] + [site.settings for site in self._sites if site.settings is not None]

    def tally(self) -> dict[str, dict[int, int]]:
        """Return the number of subjects by profile of each tenant as it is now, late news included; nothing is
        counted at 0."""
        return {contoso.TENANT: contoso.tally()} | {site.tenant: dict(site.tally()) for site in self._sites}

    def initial_events(self) -> Iterator[Event]:
        """Give out all that sources hold at the start, tenant by tenant, each closed by its syncs; the same at any
        time."""
        yield from contoso.events(self._start)
        for place in range(len(self._sites)):
            site = make_site(self._seed, place, self._start)
            for subject in site.subjects():
                yield from news(site.tenant, subject, None, self._start)
            for facet in SYNCED_FACETS:
                yield marker("sync_completed", site.tenant, facet, self._start)

    def steps(self, until: datetime) -> Iterator[tuple[datetime, list[Event]]]:
        """Give out what happens after the last step up to `until`, each with the instant at which it is told."""
        while self._agenda and self._agenda[0][0] <= until:
            at, _, kind, place, told = heapq.heappop(self._agenda)
            events = told if kind == "tell" else self._happen(at, kind, place)
            if events:
                yield at, events

    def held_back(self) -> list[Event]:
        """Return news that has happened and will be told late or again."""
        return [event for *_, kind, _, told in sorted(self._agenda) if kind == "tell" for event in told]

    def year_of_counts(self, days: int = 365) -> Iterator[HistoryPoint]:
        """Give out the history of each tenant before the start, oldest first; its last point is what `initial_events`
        counts."""
        for settings in self.settings():
            tally = self._initial_tally(settings.tenant)
            rng = Random(f"{self._seed}/year/{settings.tenant}")  # repeatable, and nothing to guard
            yield from year_of(settings.tenant, tally, settings.acquired_licenses or 0, self._start, days, rng)

    def _initial_tally(self, tenant: str) -> dict[int, int]:
        if tenant == contoso.TENANT:
            return contoso.tally()
        place = next(place for place, site in enumerate(self._sites) if site.tenant == tenant)
        return dict(make_site(self._seed, place, self._start).tally())

    def _plan_first(self) -> None:
        self._plan(self._start + self._gap(self._start), "change", 0)
        for place in range(len(self._sites)):
            self._plan(self._start + self._rng.random() * CONFIRM_EVERY, "confirm", place)
            self._plan(self._start + self._rng.random() * SYNC_EVERY, "sync", place)

    def _plan(self, at: datetime, kind: str, place: int, told: list[Event] | None = None) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), kind, place, told or []))

    def _gap(self, at: datetime) -> timedelta:
        is_busy = at.weekday() < 5 and 6 <= at.hour < 18
        return timedelta(seconds=self._rng.expovariate(1 / self._mean_gap_s) / (1 if is_busy else _NIGHT))

    def _happen(self, at: datetime, kind: str, place: int) -> list[Event]:
        site = self._sites[place]
        if kind == "confirm":
            self._plan(at + CONFIRM_EVERY, kind, place)
            return [marker("facet_confirmed", site.tenant, facet, at) for facet in (*SYNCED_FACETS, "interface")]
        if kind == "sync":
            self._plan(at + SYNC_EVERY, kind, place)
            return full_sync(site, at)
        self._plan(at + self._gap(at), kind, 0)
        place = self._rng.choices(range(len(self._sites)), self._sizes)[0]
        return self._tell(at, change_something(self._sites[place], at, self._sizes[place]))

    def _tell(self, at: datetime, events: list[Event]) -> list[Event]:
        """Tell news now; or late; or now and once more."""
        fate = self._rng.random()
        later = at + timedelta(seconds=self._rng.uniform(1, _MOST_LATE_S))
        if fate < _LATE_SHARE + _REPEATED_SHARE:
            self._plan(later, "tell", 0, events)
        return [] if fate < _LATE_SHARE else events
