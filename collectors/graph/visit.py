"""Owns one errand to a tenant: its parts one after the other, each failing for itself, and what the count should say
of them."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import structlog

from collectors.graph.client import GraphClient
from collectors.graph.clouds import GraphTenant
from collectors.graph.errors import (
    GraphError,
    ResyncRequiredError,
    RoundExpiredError,
    SignInError,
    SignInUnavailableError,
    UnavailableError,
)
from collectors.graph.lifecycle import Groups
from collectors.graph.parts import Outcome, PartStates, Reported, failure, outcome_of
from collectors.graph.plans import Sku, names_of, subscribed_sku, teams_phone_seats
from collectors.graph.rounds import GRAPH, Outlet, Round, confirm, delta_round, full_round, poll_round
from collectors.graph.schedule import Due
from collectors.graph.sources import Accounts, Applications, Kinds, Numbers, Source, Users, read_applications
from collectors.graph.subscriptions import Address, Kept, keep, reauthorize
from collectors.graph.targeted import MOST_USERS, accounts_of, numbers_of
from collectors.graph.told import Known
from collectors.graph.values import MalformedEntryError
from collectors.sync import FullRun, finish
from schemas.commands import SourceHint
from schemas.sources import Part

SKUS: Final = "/subscribedSkus?$select=skuId,skuPartNumber,consumedUnits,prepaidUnits,servicePlans"

log = structlog.get_logger()


class Hints(Protocol):
    """Tells the counter what a count should say of its source."""

    async def tell(self, tenant: str, hints: list[SourceHint]) -> None:
        """Raises PublishFailedError."""


@dataclass(slots=True)
class Collected:
    """What a collector remembers of a tenant between two errands. Nothing of it is a fact: those are hashed or gone."""

    tenant: GraphTenant
    parts: PartStates
    template_groups: tuple[str, ...] = ()
    users: Users = field(default_factory=lambda: Users({}))
    accounts: Accounts = field(default_factory=Accounts)
    applications: Applications = field(default_factory=dict)
    groups: Groups = field(init=False)
    known: dict[Part, Known] = field(default_factory=dict)
    """What each list without a delta told last; a part that is not in it needs a full reading."""
    skus: list[Sku] = field(default_factory=list)
    synced: bool = False
    """Whether a full errand has been run: before that, one for changes reads no lists."""
    hints: list[SourceHint] | None = None
    kept: Kept | None = None
    to_reauthorize: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.groups = Groups(self.template_groups)

    @property
    def kinds(self) -> Kinds:
        """What the holders of numbers are, by their account or their licence."""
        return {**dict.fromkeys(self.users.resource_accounts, "resource_account"), **self.accounts.kinds}


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
        where the broker or the portal is away."""
        errand = _Errand(self._client, held, due, self._outlet(), beta=self._beta)
        try:
            for part, read in errand.parts():
                await self._read(errand, part, read)
            if due.errand == "full":
                await errand.retire()
            await self._look_after_notifications(held)
        except SignInError as error:
            log.warning("graph_sign_in_refused", tenant=held.tenant.tenant, reason=str(error))
            # No part can be read: each says why.
            for part in errand.fed_parts():
                await held.parts.end(part, failure(error))
            errand.passing = error
        held.synced = held.synced or due.errand == "full"
        await self._tell_hints(held, again=due.errand == "full")
        passing = errand.passing
        return Visited(passing is None, getattr(passing, "retry_after_s", None))

    async def forget(self, held: Collected) -> None:
        """Say no more of a tenant. Raises PublishFailedError."""
        await held.parts.forget_all()
        await self._hints.tell(held.tenant.tenant, [])

    async def _read(self, errand: "_Errand", part: Part, read: Callable[[], Awaitable[Outcome]]) -> None:
        held = errand.held
        try:
            outcome = await read()
        except SignInError:
            raise
        except (UnavailableError, SignInUnavailableError) as error:
            outcome, errand.passing = failure(error), error
        except GraphError as error:
            outcome = failure(error)
        if outcome.state == "failing":
            log.warning("graph_part_fails", tenant=held.tenant.tenant, part=part, reason=outcome.reason)
        await held.parts.end(part, outcome)

    async def _look_after_notifications(self, held: Collected) -> None:
        if self._address is None:
            return
        now, resources = self._now(), ["/users", *(["/groups"] if held.template_groups else [])]
        try:
            for subscription in sorted(held.to_reauthorize):
                await reauthorize(self._client, held.tenant, subscription, now)
            held.to_reauthorize.clear()
            if held.kept is None or now >= held.kept.due_at:
                held.kept = await keep(self._client, held.tenant, resources, self._address, now)
            outcome = Outcome()
        except SignInError:
            raise
        except GraphError as error:
            held.to_reauthorize.clear()
            held.kept, outcome = None, failure(error)
        await held.parts.end("notifications", outcome)

    async def _tell_hints(self, held: Collected, *, again: bool) -> None:
        """Tell the hints if they are others; and from time to time, for commands are not kept for ever."""
        seats, _ = teams_phone_seats(held.skus)
        hints: list[SourceHint] = ["source_failing"] if held.parts.is_failing() else []
        if held.skus and seats < len(held.accounts.enabled):
            hints.append("few_teams_phone_licences")
        if again or hints != held.hints:
            await self._hints.tell(held.tenant.tenant, hints)
            held.hints = hints


class _Errand:
    """The readings of one errand."""

    def __init__(self, client: GraphClient, held: Collected, due: Due, outlet: Outlet, *, beta: bool) -> None:
        self.client, self.held, self.due, self.outlet, self.beta = client, held, due, outlet, beta
        self.passing: GraphError | None = None
        """What failed and may pass soon."""

    def fed_parts(self) -> list[Part]:
        """Return the parts that the tenant's cloud and settings have."""
        beta: list[Part] = ["applications"] if self.beta else []
        teams: list[Part] = ["accounts", *beta, "numbers"] if self.held.tenant.cloud.has_teams_admin else []
        groups: list[Part] = ["groups"] if self.held.template_groups else []
        return ["skus", "users", *teams, *groups]

    def parts(self) -> Iterable[tuple[Part, Callable[[], Awaitable[Outcome]]]]:
        """Yield what is to be read, in order: kinds of accounts are known before numbers are read."""
        held, due = self.held, self.due
        everything = due.errand == "full" or not (due.users or due.groups)
        if everything:
            yield "skus", self._skus
        yield "users", self._users
        if due.errand == "delta" and not held.synced:
            return
        if held.tenant.cloud.has_teams_admin and (everything or due.users):
            yield "accounts", lambda: self._teams("accounts", held.accounts)
            if self.beta and everything:
                yield "applications", self._applications
            yield "numbers", lambda: self._teams("numbers", Numbers(held.kinds, held.applications))
        if held.template_groups and (everything or due.groups):
            yield "groups", self._groups

    async def _skus(self) -> Outcome:
        answer = await self.client.get(self.held.tenant, SKUS)
        try:
            self.held.skus = [subscribed_sku(entry) for entry in answer.get("value") or ()]
        except MalformedEntryError as error:
            return Outcome("failing", str(error))
        self.held.users.sku_names = names_of(self.held.skus)
        return Outcome(read=len(self.held.skus))

    async def _applications(self) -> Outcome:
        try:
            self.held.applications = await read_applications(self.client, self.held.tenant)
        except MalformedEntryError as error:
            return Outcome("failing", str(error))
        return Outcome(read=len(self.held.applications))

    async def _users(self) -> Outcome:
        link = self.held.parts.cursor("users")
        if self.due.errand == "delta" and link is not None and not self.held.parts.is_held("users"):
            try:
                return outcome_of(await delta_round(self.client, self.held.tenant, self.held.users, self.outlet, link))
            except (ResyncRequiredError, RoundExpiredError) as error:
                log.info("graph_full_sync_needed", tenant=self.held.tenant.tenant, reason=error.reason)
                await self.held.parts.lose_cursor("users")
        return await self._full("users", self.held.users, None)

    async def _teams(self, part: Part, source: Accounts | Numbers) -> Outcome:
        known, users = self.held.known.get(part), sorted(self.due.users)
        if self.due.errand == "full" or known is None:
            return await self._full(part, source, known)
        if users and len(users) <= MOST_USERS:
            some = accounts_of(source, users) if isinstance(source, Accounts) else numbers_of(source, users)
            return outcome_of(await self._poll(some, known, whole=False))
        return await self._differences(part, source, known)

    async def _groups(self) -> Outcome:
        held, known = self.held, self.held.known.get("groups")
        asked_at = self.outlet.now()
        # Asked before the members are read: what changes meanwhile is told the next time.
        changed = await held.groups.may_have_changed(self.client, held.tenant)
        if self.due.errand == "full" or known is None:
            return await self._full("groups", held.groups, known)
        if changed:
            return await self._differences("groups", held.groups, known)
        await confirm(held.tenant, held.groups.facets, self.outlet, asked_at)
        return Outcome()

    async def retire(self) -> None:
        """End the parts that the tenant's settings do not have any more. What groups told of that are no template
        groups now is swept; raises HistoryUnavailableError where that cannot be known."""
        for part in {state.part for state in self.held.parts.states()} - {*self.fed_parts(), "notifications"}:
            await self.held.parts.forget(part)
        if self.held.template_groups:
            return
        tenant, started_at = self.held.tenant.tenant, self.outlet.now()
        runs = await self.outlet.history.last_runs(tenant, "lifecycle", GRAPH)
        newest = max(runs, key=lambda run: run.started_at, default=None)
        if newest is None or not newest.seen:
            return
        await finish(
            FullRun(tenant, "lifecycle", GRAPH, started_at, answered=1, seen=0), history=self.outlet.history,
            confirmed=True, publisher=self.outlet.publisher, partitions=self.outlet.partitions, by="collector",
            now=self.outlet.now(),
        )  # fmt: skip

    async def _differences(self, part: Part, source: Source, known: Known) -> Outcome:
        brought = await self._poll(source, known, whole=True)
        return await self._full(part, source, known) if brought.suspicious else outcome_of(brought)

    async def _poll(self, source: Source, known: Known, *, whole: bool) -> Round:
        return await poll_round(self.client, self.held.tenant, source, self.outlet, known, whole=whole)

    async def _full(self, part: Part, source: Source, known: Known | None) -> Outcome:
        held, told = self.held, Known() if known is None else known
        await held.parts.begin(part, self.due.refresh)
        started_at = self.outlet.now()
        watched = Reported(source, lambda entries: held.parts.progress(part, entries))
        brought = await full_round(self.client, held.tenant, watched, self.outlet, told)
        outcome = outcome_of(brought, started_at)
        if outcome.state == "failing":
            held.known.pop(part, None)
        elif part != "users":
            held.known[part] = told
        return outcome
