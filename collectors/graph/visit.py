"""Owns one errand to a tenant: its parts one after the other, each failing for itself, and what is said of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from collectors.graph.api.client import GraphClient
from collectors.graph.api.errors import (
    GoneError,
    GraphError,
    ResyncRequiredError,
    RoundExpiredError,
    SignInError,
    SignInUnavailableError,
    UnavailableError,
)
from collectors.graph.notify.subscriptions import Address, keep, reauthorize
from collectors.graph.reading.collected import Collected
from collectors.graph.reading.parts import Outcome, failure
from collectors.graph.reading.readings import Read, Readings
from collectors.graph.reading.rounds import Outlet
from collectors.graph.schedule import Due
from schemas.commands import SourceHint
from schemas.sources import Part

log = structlog.get_logger()


class Hints(Protocol):
    """Tells the counter what a count should say of its source."""

    async def tell(self, tenant: str, hints: list[SourceHint]) -> None:
        """Raises PublishFailedError."""


@dataclass(frozen=True, slots=True)
class Visited:
    """How an errand ended. Not `ok`: something that passes, so that it is worth trying again soon."""

    ok: bool = True
    retry_after_s: float | None = None


class Visitor:
    """Runs errands, one of a tenant at a time. `outlet` makes the way of one errand to the broker; `beta`: ask it for
    what v1.0 does not tell."""

    def __init__(
        self,
        client: GraphClient,
        outlet: Callable[[], Outlet],
        hints: Hints,
        address: Address | None,
        now: Callable[[], datetime],
        *,
        beta: bool = False,
    ) -> None:
        self._beta = beta
        self._client = client
        self._outlet = outlet
        self._hints = hints
        self._address = address
        self._now = now

    async def visit(self, held: Collected, due: Due) -> Visited:
        """Run an errand. What Graph fails with ends in the states of the parts; raises CollectorError (not GraphError)
        where the broker is away."""
        readings = Readings(self._client, held, due, self._outlet(), beta=self._beta)
        passing: GraphError | None = None
        await self._settle_disturbed(held)
        try:
            for part, read in readings.parts():
                passing = await self._read(held, part, read, due.refresh) or passing
            await readings.retire()
            await self._look_after_notifications(held)
        except SignInError as error:
            log.warning("graph_sign_in_refused", tenant=held.tenant.tenant, reason=str(error))
            # No part can be read: each says why.
            for part in readings.fed_parts():
                await held.parts.end(part, failure(error), due.refresh)
            passing = error
        held.synced = held.synced or due.errand == "full"
        hints = held.current_hints()
        # Told again from time to time: commands are not kept for ever.
        if due.errand == "full" or hints != held.hints:
            await self._hints.tell(held.tenant.tenant, hints)
            held.hints = hints
        return Visited(passing is None, getattr(passing, "retry_after_s", None))

    async def forget(self, held: Collected) -> None:
        """Say no more of a tenant, and be told no more of it. Raises PublishFailedError."""
        await held.parts.forget_all()
        await self._hints.tell(held.tenant.tenant, [])
        if self._address is not None and held.tenant.ms_tenant_id:
            try:
                await keep(self._client, held.tenant, [], self._address, self._now())
            except GraphError as error:
                log.warning("graph_subscriptions_left", tenant=held.tenant.tenant, reason=str(error))

    async def _settle_disturbed(self, held: Collected) -> None:
        disturbed = set(held.disturbed)
        held.disturbed -= disturbed
        for part in held.settle(disturbed):
            await held.parts.lose_cursor(part)

    async def _read(self, held: Collected, part: Part, read: Read, refresh: str | None) -> GraphError | None:
        """Read a part and tell what it came to; return what failed and may pass soon."""
        passing: GraphError | None = None
        try:
            outcome = await read()
        except SignInError:
            raise
        except (UnavailableError, SignInUnavailableError, ResyncRequiredError, RoundExpiredError) as error:
            outcome, passing = failure(error), error
        except GraphError as error:
            outcome = failure(error)
        if outcome is not None:
            if outcome.state == "failing":
                log.warning("graph_part_fails", tenant=held.tenant.tenant, part=part, reason=outcome.reason)
            await held.parts.end(part, outcome, refresh)
        return passing

    async def _look_after_notifications(self, held: Collected) -> None:
        if self._address is None:
            return
        now, resources = self._now(), ["/users", *(["/groups"] if held.template_groups else [])]
        outcome = Outcome()
        try:
            for subscription in sorted(held.to_reauthorize):
                await self._reauthorize(held, subscription)
            if held.kept is None or now >= held.kept.due_at:
                removals = held.removals
                kept = await keep(self._client, held.tenant, resources, self._address, now)
                held.kept = kept if held.removals == removals else None
        except SignInError:
            raise
        except GraphError as error:
            held.kept, outcome = None, failure(error)
        await held.parts.end("notifications", outcome)

    async def _reauthorize(self, held: Collected, subscription: str) -> None:
        try:
            await reauthorize(self._client, held.tenant, subscription, self._now())
        except GoneError:
            held.kept = None
        held.to_reauthorize.discard(subscription)
