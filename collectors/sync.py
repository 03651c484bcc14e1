"""Owns the end of a full run: judged by the guard, told to every partition, and reported on `commands`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from collectors.errors import HistoryUnavailableError
from collectors.feed import publish_all
from collectors.outgoing import command, completed_sync
from collectors.partitioner import Outgoing
from collectors.publisher import EventPublisher
from licensing.guard import Verdict, judge
from schemas.commands import SyncRun
from schemas.events import FacetName
from schemas.times import format_time

_UNJUDGED = (
    "What was read is published; nothing was swept. Start the portal (POOLWATCH_URL names it): a collector then tries"
    " again by itself; import a file again, or pass --confirm-removals if you know that it is complete"
)


class SyncHistory(Protocol):
    """Tells how the syncs of a source went before."""

    async def last_runs(self, tenant: str, facet: FacetName, source: str) -> Sequence[SyncRun]:
        """Return the newest runs of (tenant, facet, source), the last completed one among them if there is any; empty
        if there was none. Raises HistoryUnavailableError."""


@dataclass(frozen=True, slots=True)
class FullRun:
    """What a source told of one facet of one tenant, whole, from `started_at` on. `answered` and `seen`: see
    licensing.guard."""

    tenant: str
    facet: FacetName
    source: str
    started_at: datetime
    answered: int
    seen: int

    @property
    def id(self) -> str:
        """Made from content: the same file imported again is the same sync."""
        text = "\0".join((self.tenant, self.facet, self.source, format_time(self.started_at)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of a sync: `skipped` was not asked for or not possible, the others as in licensing.guard."""

    tenant: str
    facet: FacetName
    source: str
    started_at: datetime
    status: Literal["completed", "confirmed", "held", "empty", "skipped"]
    seen: int
    expected: int | None
    reason: str


async def finish(
    run: FullRun,
    *,
    history: SyncHistory | None,
    confirmed: bool,
    publisher: EventPublisher,
    partitions: int,
    by: str,
    now: datetime,
) -> SyncResult:
    """Judge a full run whose rows are all confirmed by the broker, and carry out the verdict. Raises
    PublishFailedError.

    `confirmed`: a person lets it through, whatever it removes; then it needs no history.
    """
    try:
        expected, held_seen = _before(run, await _runs(run, history))
    except HistoryUnavailableError as error:
        if not confirmed:
            return _result(run, "skipped", None, f"{error}. {_UNJUDGED}")
        expected, held_seen = None, None
    verdict = judge(answered=run.answered, seen=run.seen, expected=expected, held_seen=held_seen, confirmed=confirmed)
    if verdict.sweeps:
        sweep = completed_sync(run.tenant, run.facet, run.source, run.started_at)
        await publish_all([sweep], publisher, partitions)
    # Told only after every partition has the sweep: a crash in between leaves a sync that sweeps and is not reported,
    # and the next run repairs that. The other way round it would be reported and never sweep.
    if verdict.status != "empty":
        await publish_all([_report(run, verdict, expected, by, now)], publisher, partitions)
    return _result(run, verdict.status, expected, verdict.reason)


async def _runs(run: FullRun, history: SyncHistory | None) -> Sequence[SyncRun]:
    if history is None:
        raise HistoryUnavailableError(
            "earlier syncs cannot be asked for, so nobody can tell whether this one removes too many"
        )
    return await history.last_runs(run.tenant, run.facet, run.source)


def _before(run: FullRun, runs: Sequence[SyncRun]) -> tuple[int | None, int | None]:
    """Return what the last completed sync saw, and what the newest held one after it saw."""
    completed = max((r for r in runs if r.status != "held"), key=lambda r: r.started_at, default=None)
    # The same file imported again is no second opinion: a held run counts only if it began before this one.
    held = [
        r for r in runs
        if r.status == "held" and r.started_at < run.started_at
        and (completed is None or r.started_at > completed.started_at)
    ]  # fmt: skip
    newest = max(held, key=lambda r: r.started_at, default=None)
    return (completed.seen if completed else None), (newest.seen if newest else None)


def _report(run: FullRun, verdict: Verdict, expected: int | None, by: str, now: datetime) -> Outgoing:
    if verdict.status == "empty":
        raise ValueError("an empty run is not reported")
    report = SyncRun(
        id=run.id, tenant=run.tenant, by=by, sent_at=now, facet=run.facet, source=run.source, started_at=run.started_at,
        seen=run.seen, expected=expected, status=verdict.status,
    )  # fmt: skip
    return command(report)


def _result(
    run: FullRun,
    status: Literal["completed", "confirmed", "held", "empty", "skipped"],
    expected: int | None,
    reason: str,
) -> SyncResult:
    return SyncResult(run.tenant, run.facet, run.source, run.started_at, status, run.seen, expected, reason)
