"""Owns how the parts of a tenant are doing: what a reading came to, in words, and when that is told (topic
`sources`)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from collectors.graph.api.client import GraphClient, JsonObject, Page
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import GraphError
from collectors.graph.mapping.facts import Observation
from collectors.graph.reading.rounds import GRAPH, Round
from collectors.graph.reading.sources import Source
from schemas.events import FacetName
from schemas.sources import Part, Reading, SourceState

PROGRESS_EVERY: Final = timedelta(seconds=1)

FACETS: Final[dict[Part, tuple[FacetName, ...]]] = {
    "skus": (),
    "users": ("directory", "subscription"),
    "accounts": ("voice",),
    "applications": (),
    "numbers": ("phone_number", "service_number"),
    "groups": ("lifecycle",),
    "notifications": (),
}


class States(Protocol):
    """Keeps the states of parts."""

    async def write(self, state: SourceState) -> None:
        """Write a state; return once the broker has confirmed. Raises PublishFailedError."""

    async def forget(self, tenant: str, part: Part) -> None:
        """Forget a part. Raises PublishFailedError."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reading came to. `cursor`: where the next one may begin, of a part that has one."""

    state: Reading = "ok"
    reason: str = ""
    read: int = 0
    full_at: datetime | None = None
    cursor: str | None = None


def outcome_of(brought: Round, full_at: datetime | None = None) -> Outcome:
    """Return what a round that was read to its end came to; `full_at`: when it began, of a full one."""
    if brought.malformed:
        told = (
            f"Graph tells of what cannot be read, so nothing is swept or confirmed: {'; '.join(brought.malformed[:3])}"
        )
        return Outcome("failing", told, brought.answered)
    by_status = {sync.status: sync for sync in reversed(brought.syncs)}
    if skipped := by_status.get("skipped"):
        return Outcome("failing", skipped.reason, brought.answered, cursor=brought.delta_link)
    if held := by_status.get("held") or by_status.get("empty"):
        # Without a place to go on from: the next reading is a full one again, the second opinion.
        return Outcome("held", f"{held.facet}: {held.reason}", brought.answered)
    return Outcome("ok", "", brought.answered, full_at, brought.delta_link)


def failure(error: GraphError) -> Outcome:
    """Return what an error came to."""
    return Outcome("failing", error.words)


class PartStates:
    """The states of one tenant's parts; a state is written when it says something new."""

    def __init__(
        self, tenant: GraphTenant, states: States, now: Callable[[], datetime], known: Iterable[SourceState] = ()
    ) -> None:
        """`known`: what was written before; a place in the changes of another directory is none in this one."""
        self._tenant = tenant.tenant
        self._directory = f"{tenant.ms_tenant_id} {tenant.cloud.graph}"
        self._states = states
        self._now = now
        self._held: dict[Part, SourceState] = {
            state.part: state if state.directory == self._directory else state.model_copy(update={"cursor": None})
            for state in known
        }

    def has(self, part: Part) -> bool:
        """Tell whether a part was ever told of."""
        return part in self._held

    def states(self) -> list[SourceState]:
        """Return all states."""
        return list(self._held.values())

    def cursor(self, part: Part) -> str | None:
        """Return where the next reading of a part may begin."""
        return self._held[part].cursor if part in self._held else None

    def is_failing(self) -> bool:
        """Tell whether a part that feeds facets is failing."""
        return any(state.state == "failing" and state.facets for state in self._held.values())

    async def begin(self, part: Part, refresh: str | None) -> None:
        """Tell that a full reading begins."""
        now, held = self._now(), self._held.get(part)
        await self._write(
            SourceState(
                tenant=self._tenant, source=GRAPH, part=part, facets=list(FACETS[part]), directory=self._directory,
                state="reading", since=now, at=now, refresh=refresh, cursor=held.cursor if held else None,
                full_at=held.full_at if held else None,
            )
        )  # fmt: skip

    async def progress(self, part: Part, entries: int) -> None:
        """Tell how many more entries were read; not more often than a person looks."""
        held = self._held[part]
        held = self._held[part] = held.model_copy(update={"read": held.read + entries})
        if self._now() - held.at >= PROGRESS_EVERY:
            await self._write(held.model_copy(update={"at": self._now()}))

    async def end(self, part: Part, outcome: Outcome, refresh: str | None = None) -> None:
        """Tell what a reading came to, if that is new. `refresh`: what it answers, also where it never began."""
        now, held = self._now(), self._held.get(part)
        refresh = refresh or (held.refresh if held else None)
        same = held is not None and (held.state, held.reason) == (outcome.state, outcome.reason)
        state = SourceState(
            tenant=self._tenant, source=GRAPH, part=part, facets=list(FACETS[part]),
            directory=self._directory, state=outcome.state, reason=outcome.reason,
            since=held.since if held and same else now, at=now, read=outcome.read,
            full_at=outcome.full_at or (held.full_at if held else None),
            refresh=refresh,
            # A reading that failed tells no new place: the next one begins where this one began.
            cursor=None if outcome.state == "held" else outcome.cursor or (held.cursor if held else None),
        )  # fmt: skip
        new = held is None or (held.cursor, held.full_at, held.refresh) != (state.cursor, state.full_at, refresh)
        if not same or new:
            await self._write(state)

    async def lose_cursor(self, part: Part) -> None:
        """Forget where the next reading of a part may begin, for the place is void."""
        held = self._held.get(part)
        if held is not None and held.cursor is not None:
            await self._write(held.model_copy(update={"cursor": None}))

    async def forget(self, part: Part) -> None:
        """Forget a part."""
        await self._states.forget(self._tenant, part)
        del self._held[part]

    async def forget_all(self) -> None:
        """Forget all parts."""
        for part in list(self._held):
            await self.forget(part)

    async def _write(self, state: SourceState) -> None:
        await self._states.write(state)
        self._held[state.part] = state


@dataclass(frozen=True, slots=True)
class Reported:
    """A source whose reading is told of page by page."""

    source: Source
    report: Callable[[int], Awaitable[None]]

    @property
    def facets(self) -> tuple[FacetName, ...]:
        return self.source.facets

    async def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        async for page in self.source.pages(client, tenant, link):
            yield page
            await self.report(len(page.values))

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        return self.source.observe(entry)
