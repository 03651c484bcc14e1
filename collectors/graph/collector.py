"""Owns the running of errands for all tenants of a collector: those that are due, many at a time, none twice."""

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from collectors.errors import CollectorError
from collectors.graph.clouds import GraphTenant
from collectors.graph.parts import PartStates, States
from collectors.graph.schedule import Due, Schedule
from collectors.graph.visit import Collected, Visited, Visitor
from schemas.commands import Notified
from schemas.sources import SourceState

HEALTHY_ERRANDS: Final = 128
"""Each holds up to 8 MiB of events on their way, and rarely more than one."""
AILING_ERRANDS: Final = 32
"""Apart, so that tenants that fail or wait for minutes keep nobody else waiting."""

log = structlog.get_logger()


class GraphCollector:
    """Collects the tenants that it is given. `now` is the time of day, `clock` in seconds and never goes back."""

    def __init__(
        self,
        visitor: Visitor,
        schedule: Schedule,
        states: States,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._visitor = visitor
        self._schedule = schedule
        self._states = states
        self._now = now
        self._clock = clock
        self._held: dict[str, Collected] = {}
        self._ailing: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def collect(
        self, tenant: GraphTenant, template_groups: Iterable[str] = (), known: Iterable[SourceState] = ()
    ) -> None:
        """Begin to collect a tenant, or anew with other settings: a full sync is due. `known`: what an earlier
        collector of it wrote."""
        before, groups = self._held.get(tenant.tenant), tuple(sorted(template_groups))
        if before and (before.tenant, before.template_groups) == (tenant, groups):
            return
        if before:
            # Another directory: what was read of the one before is no place to go on from.
            known = before.parts.states() if before.tenant == tenant else ()
            self.leave(tenant.tenant)
        parts = PartStates(tenant.tenant, self._states, self._now, known)
        self._held[tenant.tenant] = Collected(tenant, parts, groups)
        self._schedule.add(tenant.tenant, self._clock(), resume=parts.cursor("users") is not None)
        self._news.set()

    def leave(self, tenant: str) -> None:
        """Leave a tenant to another collector; what is under way ends unfinished."""
        self._held.pop(tenant, None)
        self._ailing.discard(tenant)
        self._schedule.remove(tenant)
        if running := self._running.pop(tenant, None):
            running.cancel()

    async def forget(self, tenant: str) -> None:
        """Collect a tenant no more, for its settings say so: its parts are forgotten, its facts stay. Raises
        PublishFailedError."""
        held = self._held.get(tenant)
        self.leave(tenant)
        if held is not None:
            await self._visitor.forget(held)

    def refresh(self, tenant: str, name: str) -> None:
        """Run a full sync as soon as possible; `name` is the request's."""
        self._schedule.ask_full(tenant, self._clock(), name)
        self._news.set()

    def notified(self, told: Notified) -> None:
        """Ask a tenant what has changed, or look after its subscriptions."""
        held = self._held.get(told.tenant)
        if held is None:
            return
        # None is known before subscriptions were looked after: then a stranger costs one question.
        if held.kept is not None and told.subscription not in held.kept.ids:
            return
        if told.event == "removed":
            held.kept = None
        elif told.event == "reauthorize":
            held.to_reauthorize.add(told.subscription)
        self._schedule.notify(told.tenant, self._clock(), told.users, bool(told.groups))
        self._news.set()

    async def run(self) -> None:
        """Run what is due until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                for due in self._due():
                    errand = self._errand(self._held[due.tenant], due)
                    self._running[due.tenant] = group.create_task(errand, name=f"graph-{due.tenant}")
                await self._wait()

    def _due(self) -> list[Due]:
        ailing = sum(tenant in self._ailing for tenant in self._running)
        healthy = len(self._running) - ailing
        return self._schedule.due(self._clock(), HEALTHY_ERRANDS - healthy, AILING_ERRANDS - ailing)

    async def _wait(self) -> None:
        at = self._schedule.next_at()
        # What is due already waits for a slot, and its end is news.
        delay_s = None if at is None or at <= self._clock() else at - self._clock()
        try:
            async with asyncio.timeout(delay_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def _errand(self, held: Collected, due: Due) -> None:
        visited = Visited(ok=False)
        try:
            visited = await self._visitor.visit(held, due)
        except CollectorError as error:
            log.warning("graph_errand_failed", tenant=due.tenant, errand=due.errand, reason=str(error))
        except Exception as error:  # noqa: BLE001 -- one tenant's surprise must not end the others' collecting
            log.error("graph_errand_broke", tenant=due.tenant, errand=due.errand, error=_place_of(error))
        finally:
            if self._held.get(due.tenant) is held:
                self._running.pop(due.tenant, None)
                (self._ailing.discard if visited.ok else self._ailing.add)(due.tenant)
                self._schedule.finished(
                    due.tenant, self._clock(), errand=due.errand, ok=visited.ok, retry_after_s=visited.retry_after_s
                )
            self._news.set()


def _place_of(error: Exception) -> str:
    """Return an error's type and place; its text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{place}"
