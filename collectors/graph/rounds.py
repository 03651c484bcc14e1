"""Owns one round of a source of a tenant: what Microsoft Graph tells goes out as events, is confirmed by the broker,
and only then counts as read.

A full round ends in a sync that sweeps what was not seen, if the guard lets it (collectors.sync). A round from a delta
link publishes what changed, and confirms the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collectors.feed import Feed, publish_all
from collectors.graph.client import GraphClient, Page
from collectors.graph.clouds import GraphTenant
from collectors.graph.facts import Observation
from collectors.graph.sources import Source
from collectors.graph.values import MalformedEntryError
from collectors.outgoing import confirmed_facet, observation
from collectors.publisher import EventPublisher
from collectors.sync import FullRun, SyncHistory, SyncResult, finish
from schemas.events import FacetName
from schemas.times import format_time

GRAPH: Final = "graph"
"""The source that every event of this collector carries."""

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where rounds publish to: a publisher of their own, the number of partitions, and how earlier syncs went."""

    publisher: EventPublisher
    partitions: int
    history: SyncHistory
    now: Callable[[], datetime]


@dataclass(slots=True)
class Round:
    """What a round brought. `delta_link`: where the next one may begin, worth keeping now that all before it is
    confirmed; `malformed`: entries that could not be read, each told once; `syncs`: of a full round, by facet."""

    delta_link: str | None = None
    answered: int = 0
    seen: dict[FacetName, set[str]] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)
    syncs: list[SyncResult] = field(default_factory=list)


async def full_round(client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet) -> Round:
    """Read a list whole, publish all of it, and sweep what is gone. Raises GraphError and PublishFailedError; then
    nothing is swept, and what has arrived changes nothing when it comes again."""
    started_at = outlet.now()
    brought = await _read(client, tenant, source, outlet, None, started_at)
    if brought.malformed:
        return brought  # an entry that cannot be read is not gone: no sweep before all can be
    for facet in source.facets:
        run = FullRun(tenant.tenant, facet, GRAPH, started_at, brought.answered, len(brought.seen.get(facet, ())))
        brought.syncs.append(
            await finish(
                run, history=outlet.history, confirmed=False, publisher=outlet.publisher,
                partitions=outlet.partitions, by="collector", now=outlet.now(),
            )
        )  # fmt: skip
    return brought


async def delta_round(client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet, link: str) -> Round:
    """Publish what changed since a delta link, and confirm everything else. Raises GraphError, ResyncRequiredError and
    RoundExpiredError where a full round is due, and PublishFailedError."""
    asked_at = outlet.now()
    brought = await _read(client, tenant, source, outlet, link, asked_at)
    if not brought.malformed:
        told = [confirmed_facet(tenant.tenant, facet, GRAPH, asked_at) for facet in source.facets]
        await publish_all(told, outlet.publisher, outlet.partitions)
    return brought


async def _read(
    client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet, link: str | None, asked_at: datetime
) -> Round:
    brought, feed, before = Round(), Feed(outlet.publisher, outlet.partitions), asked_at - _MILLISECOND
    async for page in source.pages(client, tenant, link):
        # Of one subject on several pages the last wins, also where they come within a millisecond.
        observed_at = before = max(outlet.now(), before + _MILLISECOND)
        for each in _last_of(page, source, brought):
            event = observation(tenant.tenant, each.facet, each.subject, format_time(observed_at), GRAPH, each.facts)
            await feed.send(event)
        brought.delta_link = page.delta_link
    await feed.settle()
    return brought


def _last_of(page: Page, source: Source, brought: Round) -> list[Observation]:
    """Return the last observation of each facet and subject of a page."""
    last: dict[tuple[FacetName, str], Observation] = {}
    for entry in page.values:
        brought.answered += 1
        try:
            for each in source.observe(entry):
                last[each.facet, each.subject] = each
        except MalformedEntryError as error:
            if str(error) not in brought.malformed:
                brought.malformed.append(str(error))
    for (facet, subject), each in last.items():
        seen = brought.seen.setdefault(facet, set())
        (seen.discard if each.facts is None else seen.add)(subject)
    return list(last.values())
