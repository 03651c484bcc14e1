"""Owns one round of a source of a tenant: what Microsoft Graph tells goes out as events, is confirmed by the broker,
and only then counts as read.

A full round ends in a sync that sweeps what was not seen, if the guard lets it (collectors.sync). The others publish
what differs and confirm the rest: from a delta link, or from a whole list beside what it told last.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collectors.feed import Feed, publish_all
from collectors.graph.api.client import GraphClient, Page
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.mapping.facts import Observation
from collectors.graph.mapping.values import MalformedEntryError
from collectors.graph.reading.sources import Source
from collectors.graph.reading.told import Known, Told, note
from collectors.outgoing import confirmed_facet, observation
from collectors.partitioner import Outgoing
from collectors.publisher import EventPublisher
from collectors.sync import FullRun, SyncHistory, SyncResult, finish
from licensing.guard import is_suspicious
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
    confirmed; `malformed`: entries that could not be read, each told once; `syncs`: of a full round, by facet;
    `suspicious`: so much is gone that nothing was cleared or confirmed, and a full round has to judge it."""

    delta_link: str | None = None
    answered: int = 0
    told: Told = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)
    syncs: list[SyncResult] = field(default_factory=list)
    suspicious: bool = False


async def full_round(
    client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet, known: Known | None = None
) -> Round:
    """Read a list whole, publish all of it, and sweep what is gone. Raises GraphError and PublishFailedError; then
    nothing is swept, and what has arrived changes nothing when it comes again. `known` is brought up to date."""
    started_at = outlet.now()
    brought = await _read(client, tenant, source, outlet, None, started_at, known, everything=True)
    if brought.malformed:
        if known is not None:
            known.merge(brought.told)
        return brought  # an entry that cannot be read is not gone: no sweep before all can be
    for facet in source.facets:
        run = FullRun(tenant.tenant, facet, GRAPH, started_at, brought.answered, len(brought.told.get(facet, ())))
        brought.syncs.append(
            await finish(
                run, history=outlet.history, confirmed=False, publisher=outlet.publisher,
                partitions=outlet.partitions, by="collector", now=outlet.now(),
            )
        )  # fmt: skip
    if known is None:
        return brought
    known.merge(brought.told)
    through = [sync.facet for sync in brought.syncs if sync.status in ("completed", "confirmed")]
    known.replace(brought.told, through, synced=True)
    return brought


async def delta_round(client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet, link: str) -> Round:
    """Publish what changed since a delta link, and confirm everything else. Raises GraphError, ResyncRequiredError and
    RoundExpiredError where a full round is due, and PublishFailedError."""
    asked_at = outlet.now()
    brought = await _read(client, tenant, source, outlet, link, asked_at, None, everything=True)
    if not brought.malformed:
        await confirm(tenant, source.facets, outlet, asked_at)
    return brought


async def poll_round(
    client: GraphClient, tenant: GraphTenant, source: Source, outlet: Outlet, known: Known, *, whole: bool = True
) -> Round:
    """Read a list, publish what differs from what is `known` of it, clear what is gone, and confirm the rest; `known`
    is brought up to date. A list that is not `whole`, of some users alone, clears and confirms nothing. Raises
    GraphError and PublishFailedError."""
    asked_at = outlet.now()
    brought = await _read(client, tenant, source, outlet, None, asked_at, known, everything=False)
    if whole and not brought.malformed:
        brought.suspicious = _is_suspicious(source, brought, known)
        if not brought.suspicious:
            await _clear_the_gone(tenant, source, outlet, known, brought.told, asked_at)
            known.replace(brought.told, source.facets, synced=False)
            await confirm(tenant, source.facets, outlet, asked_at)
            return brought
    known.merge(brought.told)
    return brought


async def confirm(tenant: GraphTenant, facets: tuple[FacetName, ...], outlet: Outlet, asked_at: datetime) -> None:
    """Tell that these facets are as they were told. Raises PublishFailedError."""
    told = [confirmed_facet(tenant.tenant, facet, GRAPH, asked_at) for facet in facets]
    await publish_all(told, outlet.publisher, outlet.partitions)


def _is_suspicious(source: Source, brought: Round, known: Known) -> bool:
    """Judge as a sync would be judged: a list that answers nothing, or far less than the last, may be cut short."""
    was = [(known.before(facet), len(brought.told.get(facet, ()))) for facet in source.facets]
    return any(is_suspicious(now, before) for before, now in was) or (
        brought.answered == 0 and any(before for before, _ in was)
    )


async def _clear_the_gone(
    tenant: GraphTenant, source: Source, outlet: Outlet, known: Known, told: Told, asked_at: datetime
) -> None:
    missing = [(facet, subject) for facet in source.facets for subject in known.gone(told, facet)]
    for facet, subject in missing:
        known.told[facet][subject] = None
    at = format_time(asked_at)
    clears = [_event(tenant, Observation(facet, subject, None), at) for facet, subject in missing]
    await publish_all(clears, outlet.publisher, outlet.partitions)


async def _read(
    client: GraphClient,
    tenant: GraphTenant,
    source: Source,
    outlet: Outlet,
    link: str | None,
    asked_at: datetime,
    known: Known | None,
    *,
    everything: bool,
) -> Round:
    """Publish what a list tells: everything, or what differs from what is known."""
    brought, feed, before = Round(), Feed(outlet.publisher, outlet.partitions), asked_at - _MILLISECOND
    async for page in source.pages(client, tenant, link):
        # As of when the page was asked for, not of when it came: whoever slept in between must not bring back what was
        # over. Of one subject on several pages the last wins, also where they come within a millisecond.
        before = max(asked_at, before + _MILLISECOND)
        observed_at = format_time(before)
        for each in _last_of(page, source, brought):
            news = note(brought.told, known.told if known else None, each.facet, each.subject, each.facts)
            if news or everything:
                await feed.send(_event(tenant, each, observed_at))
        brought.delta_link, asked_at = page.delta_link, outlet.now()
    await feed.settle()
    return brought


def _event(tenant: GraphTenant, each: Observation, observed_at: str) -> Outgoing:
    return observation(tenant.tenant, each.facet, each.subject, observed_at, GRAPH, each.facts)


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
    return list(last.values())
