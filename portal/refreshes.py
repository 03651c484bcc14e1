"""Owns how far a refresh is: which were heard of, what sources and freshness say of one, and who is told of it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from schemas.commands import Refresh
from schemas.events import FacetName
from schemas.sources import Part, SourceState
from schemas.times import Instant

KEPT = 1_000

FacetState = Literal["waiting", "reading", "done", "held", "failing"]
_GOES_ON: tuple[FacetState, ...] = ("waiting", "reading")


class FacetProgress(BaseModel):
    """How far a facet is: the part of the source that tells of it, and entries read of that for this refresh."""

    part: Part
    state: FacetState
    read: int
    reason: str
    fresh_at: Instant | None


class Progress(BaseModel):
    """How far a refresh is. `facets` is empty until a collector has ever told of the tenant."""

    id: str
    tenant: str
    started_at: Instant
    done: bool
    """No facet waits or is being read any more; held and failing are ends too."""
    facets: dict[FacetName, FacetProgress]


class RefreshBook:
    """The refreshes heard of last; `far` says how far one is, `tell` is told whenever that is news."""

    def __init__(self, far: Callable[[Refresh], Progress], tell: Callable[[Progress], None]) -> None:
        self._far, self._tell = far, tell
        self._refreshes: dict[str, Refresh] = {}
        self._going: dict[str, dict[str, Progress | None]] = {}
        """By tenant and id, what was told last."""

    def keep(self, refresh: Refresh) -> None:
        """Keep a refresh, and let go of the oldest beyond `KEPT`. It may be heard of twice."""
        if refresh.id in self._refreshes:
            return
        self._refreshes[refresh.id] = refresh
        self._going.setdefault(refresh.tenant, {})[refresh.id] = None
        if len(self._refreshes) > KEPT:
            oldest = self._refreshes.pop(next(iter(self._refreshes)))
            self._end(oldest)
        self.look(refresh.tenant)

    def look(self, tenant: str) -> None:
        """Look how far the refreshes of a tenant are that go on: its sources or its count have changed."""
        for refresh_id, before in list(self._going.get(tenant, {}).items()):
            refresh = self._refreshes[refresh_id]
            now = self._far(refresh)
            if now != before:
                self._going[tenant][refresh_id] = now
                self._tell(now)
            if now.done:
                self._end(refresh)

    def _end(self, refresh: Refresh) -> None:
        going = self._going.get(refresh.tenant, {})
        going.pop(refresh.id, None)
        if not going:
            self._going.pop(refresh.tenant, None)

    def get(self, refresh_id: str) -> Refresh | None:
        """Return a refresh, None for one not heard of or too long ago."""
        return self._refreshes.get(refresh_id)


def progress(refresh: Refresh, states: Sequence[SourceState], freshness: Mapping[str, datetime | None]) -> Progress:
    """Return how far a refresh is, by the states of the tenant's sources and the freshness of its count."""
    facets = {facet: _of_facet(refresh, state, freshness.get(facet)) for state in states for facet in state.facets}
    done = bool(facets) and not any(facet.state in _GOES_ON for facet in facets.values())
    return Progress(id=refresh.id, tenant=refresh.tenant, started_at=refresh.sent_at, done=done, facets=facets)


def _of_facet(refresh: Refresh, state: SourceState, fresh_at: datetime | None) -> FacetProgress:
    answers = state.refresh == refresh.id
    reached: FacetState
    if fresh_at is not None and fresh_at >= refresh.sent_at:
        reached = "done"
    elif not answers:
        reached = "waiting"
    else:
        # All is read, and on its way through Kafka to the count.
        reached = "reading" if state.state == "ok" else state.state
    return FacetProgress(
        part=state.part,
        state=reached,
        read=state.read if answers else 0,
        reason=state.reason if reached in ("held", "failing") else "",
        fresh_at=fresh_at,
    )
