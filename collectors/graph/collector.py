"""Owns the running of errands for all tenants of a collector: those that are due, many at a time, none twice."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from collectors.errors import CollectorError
from collectors.graph import metrics
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.reading.collected import Collected
from collectors.graph.reading.parts import PartStates, States
from collectors.graph.schedule import Due, Schedule
from collectors.graph.visit import Visited, Visitor
from schemas import traces
from schemas.commands import Notified
from schemas.events import FacetName
from schemas.sources import SourceState

HEALTHY_ERRANDS: Final = 128
"""Each holds up to 8 MiB of events on their way, and rarely more than one."""
AILING_ERRANDS: Final = 32
"""Apart, so that tenants that fail keep nobody else waiting."""
SLOW_S: Final = 20.0
MOST_ERRANDS: Final = 512
"""With those that have gone on for longer than `SLOW_S`, which count among neither."""
_LOOK_S: Final = 5.0
_MOST_ASKED: Final = 1_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Running:
    """An errand that is under way."""

    task: asyncio.Task[None]
    since: float


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
        self._running: dict[str, _Running] = {}
        self._asked: dict[str, str] = {}
        """Refreshes of tenants that are not here yet."""
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
            known = before.parts.states()
            self.leave(tenant.tenant)
        parts = PartStates(tenant, self._states, self._now, known)
        self._held[tenant.tenant] = Collected(tenant, parts, groups)
        self._schedule.add(tenant.tenant, self._clock(), resume=parts.cursor("users") is not None)
        if asked := self._asked.pop(tenant.tenant, None):
            self.refresh(tenant.tenant, asked)
        self._news.set()

    def leave(self, tenant: str) -> None:
        """Leave a tenant to another collector; what is under way ends unfinished."""
        self._held.pop(tenant, None)
        self._schedule.remove(tenant)
        if running := self._running.pop(tenant, None):
            running.task.cancel()

    def numbers(self) -> tuple[int, int, int]:
        """Return how many tenants there are, how many errands are under way, and for how many tenants the last one
        failed. Other threads may ask."""
        tenants = list(self._held)
        return len(tenants), len(self._running), sum(map(self._schedule.is_ailing, tenants))

    def all_states(self) -> Iterable[SourceState]:
        """Yield the states of all parts. Other threads may ask."""
        return (state for held in list(self._held.values()) for state in held.parts.states())

    def states(self, tenant: str) -> list[SourceState]:
        """Return how the parts of a tenant are doing; nothing of one that is not collected here."""
        return self._held[tenant].parts.states() if tenant in self._held else []

    async def forget(self, tenant: str, known: Iterable[SourceState] = ()) -> None:
        """Collect a tenant no more, for its settings say so: its parts are forgotten, its facts stay. `known`: what an
        earlier collector of it wrote. Raises PublishFailedError."""
        held = self._held.get(tenant)
        if held is None and (known := list(known)):
            nowhere = GraphTenant(tenant, "")
            held = Collected(nowhere, PartStates(nowhere, self._states, self._now, known))
        self.leave(tenant)
        if held is not None:
            await self._visitor.forget(held)

    def refresh(self, tenant: str, name: str) -> None:
        """Run a full sync as soon as possible; `name` is the request's. It may come before the tenant does."""
        if tenant not in self._held:
            self._asked[tenant] = name
            while len(self._asked) > _MOST_ASKED:
                del self._asked[next(iter(self._asked))]
            return
        self._schedule.ask_full(tenant, self._clock(), name)
        self._news.set()

    def disturbed(self, tenant: str, facet: FacetName) -> None:
        """Take note that another source has told of a facet: what Graph says of it is told again, for the newest word
        counts, and Graph's is the newer one."""
        if (held := self._held.get(tenant)) is not None:
            held.disturbed.add(facet)

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
            held.removals += 1
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
                    task = group.create_task(errand, name=f"graph-{due.tenant}")
                    self._running[due.tenant] = _Running(task, self._clock())
                await self._wait()

    def _due(self) -> list[Due]:
        # Whoever is slow, for it waits for Graph or is large, takes no place from the others any more.
        slow_since = self._clock() - SLOW_S
        quick = [tenant for tenant, running in self._running.items() if running.since > slow_since]
        ailing = sum(map(self._schedule.is_ailing, quick))
        room = MOST_ERRANDS - len(self._running)
        healthy_slots = min(HEALTHY_ERRANDS - len(quick) + ailing, room)
        return self._schedule.due(self._clock(), healthy_slots, min(AILING_ERRANDS - ailing, room))

    async def _wait(self) -> None:
        at = self._schedule.next_at()
        delay_s = None if at is None else max(0.0, at - self._clock())
        metrics.NEXT.set(0 if delay_s is None else time.time() + delay_s)
        if self._running:
            delay_s = min(_LOOK_S, _LOOK_S if delay_s is None else delay_s)
        try:
            async with asyncio.timeout(delay_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def _errand(self, held: Collected, due: Due) -> None:
        visited, outcome, began = Visited(ok=False), "stopped", self._clock()
        try:
            with traces.span("graph errand", attributes={"errand": due.errand, "tenant": due.tenant}):
                visited = await self._visitor.visit(held, due)
            outcome = "ok" if visited.ok else "again"
        except CollectorError as error:
            outcome = "failed"
            log.warning("graph_errand_failed", tenant=due.tenant, errand=due.errand, reason=str(error))
        except Exception as error:  # noqa: BLE001 -- one tenant's surprise must not end the others' collecting
            outcome = "broke"
            log.error("graph_errand_broke", tenant=due.tenant, errand=due.errand, error=_place_of(error))
        finally:
            metrics.ERRANDS.labels(due.errand, outcome).inc()
            metrics.ERRAND_S.labels(due.errand).observe(self._clock() - began)
            if self._held.get(due.tenant) is held:
                self._running.pop(due.tenant, None)
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
