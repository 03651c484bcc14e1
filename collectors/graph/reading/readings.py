"""Owns the readings of one errand to a tenant: which lists, in which order, whole or by what changed."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from collectors.errors import HistoryUnavailableError
from collectors.graph.api.client import GraphClient
from collectors.graph.api.errors import ResyncRequiredError, RoundExpiredError
from collectors.graph.mapping.plans import names_of, subscribed_sku
from collectors.graph.mapping.values import MalformedEntryError
from collectors.graph.reading.collected import Collected
from collectors.graph.reading.parts import FACETS, Outcome, Reported, outcome_of
from collectors.graph.reading.rounds import GRAPH, Outlet, Round, confirm, delta_round, full_round, poll_round
from collectors.graph.reading.sources import Accounts, Numbers, Source, read_applications
from collectors.graph.reading.targeted import MOST_USERS, accounts_of, numbers_of
from collectors.graph.reading.told import Known
from collectors.graph.schedule import Due
from collectors.sync import FullRun, finish
from schemas.sources import Part

SKUS: Final = "/subscribedSkus?$select=skuId,skuPartNumber,consumedUnits,prepaidUnits,servicePlans"

Read = Callable[[], Awaitable[Outcome | None]]
"""Reads a part. None: it was read for some users alone, which says nothing of how the part is doing."""

log = structlog.get_logger()


class Readings:
    """The readings of one errand. Those of a part raise GraphError, and CollectorError where the broker is away."""

    def __init__(self, client: GraphClient, held: Collected, due: Due, outlet: Outlet, *, beta: bool) -> None:
        self._client, self._held, self._due, self._outlet, self._beta = client, held, due, outlet, beta
        self._everything = due.errand == "full" or not (due.users or due.groups)

    def fed_parts(self) -> list[Part]:
        """Return the parts that the tenant's cloud and settings have."""
        beta: list[Part] = ["applications"] if self._beta else []
        teams: list[Part] = ["accounts", *beta, "numbers"] if self._held.tenant.cloud.has_teams_admin else []
        groups: list[Part] = ["groups"] if self._held.template_groups else []
        return ["skus", "users", *teams, *groups]

    def parts(self) -> Iterable[tuple[Part, Read]]:
        """Yield what is to be read, in order: kinds of accounts are known before numbers are read."""
        held, due = self._held, self._due
        if self._everything:
            yield "skus", self._skus
        yield "users", self._users
        if due.errand == "delta" and not held.synced:
            return
        if held.tenant.cloud.has_teams_admin and (self._everything or due.users):
            yield "accounts", lambda: self._teams("accounts", held.accounts)
            if self._beta and self._everything:
                yield "applications", self._applications
            yield "numbers", self._numbers
        if held.template_groups and (self._everything or due.groups):
            yield "groups", self._groups

    async def retire(self) -> None:
        """Sweep what was told of parts that settings do not have any more, and say of them from then on that nothing
        is there."""
        held, asked_at = self._held, self._outlet.now()
        for part in FACETS.keys() - {*self.fed_parts(), "notifications"}:
            if self._due.errand == "full" and part not in held.retired and await self._was_told(part):
                for facet in FACETS[part]:
                    run = FullRun(held.tenant.tenant, facet, GRAPH, asked_at, answered=1, seen=0)
                    await finish(
                        run, history=None, confirmed=True, publisher=self._outlet.publisher,
                        partitions=self._outlet.partitions, by="collector", now=self._outlet.now(),
                    )  # fmt: skip
                held.retired.add(part)
                held.known.pop(part, None)
                if held.parts.has(part):
                    await held.parts.forget(part)
            elif part in held.retired and self._everything:
                await confirm(held.tenant, FACETS[part], self._outlet, asked_at)

    async def _was_told(self, part: Part) -> bool:
        """Tell whether anything may ever have been told of a part."""
        if self._held.parts.has(part):
            return True
        try:
            return any(
                [await self._outlet.history.last_runs(self._held.tenant.tenant, facet, GRAPH) for facet in FACETS[part]]
            )
        except HistoryUnavailableError:
            return False  # the next full errand asks again

    async def _skus(self) -> Outcome:
        answer = await self._client.get(self._held.tenant, SKUS)
        try:
            self._held.skus = [subscribed_sku(entry) for entry in answer.get("value") or ()]
        except MalformedEntryError as error:
            return Outcome("failing", str(error))
        self._held.users.sku_names = names_of(self._held.skus)
        return Outcome(read=len(self._held.skus))

    async def _applications(self) -> Outcome:
        try:
            self._held.applications = await read_applications(self._client, self._held.tenant)
        except MalformedEntryError as error:
            return Outcome("failing", str(error))
        return Outcome(read=len(self._held.applications))

    async def _users(self) -> Outcome:
        held, link = self._held, self._held.parts.cursor("users")
        complete = "users" in held.read_whole or not held.synced
        if self._due.errand == "delta" and link and complete and not await self._is_to_be_repeated("users"):
            try:
                return outcome_of(await delta_round(self._client, held.tenant, held.users, self._outlet, link))
            except (ResyncRequiredError, RoundExpiredError) as error:
                log.info("graph_full_sync_needed", tenant=held.tenant.tenant, reason=error.reason)
                await held.parts.lose_cursor("users")
        return await self._full("users", held.users, None)

    async def _numbers(self) -> Outcome | None:
        if not {"users", "accounts"} <= self._held.read_whole:
            # A resource account would be taken for a user, and its number be swept.
            waits = "it waits for users and accounts, which tell the numbers of resource accounts from those of people"
            return Outcome("failing", waits)
        return await self._teams("numbers", Numbers(self._held.kinds, self._held.applications))

    async def _teams(self, part: Part, source: Accounts | Numbers) -> Outcome | None:
        known, users = self._held.known.get(part), sorted(self._due.users)
        if self._due.errand == "full" or known is None or await self._is_to_be_repeated(part):
            return await self._full(part, source, known)
        if users and len(users) <= MOST_USERS:
            some = accounts_of(source, users) if isinstance(source, Accounts) else numbers_of(source, users)
            outcome = outcome_of(await self._poll(some, known, whole=False))
            return outcome if outcome.state == "failing" else None
        return await self._differences(part, source, known)

    async def _groups(self) -> Outcome:
        held, known, asked_at = self._held, self._held.known.get("groups"), self._outlet.now()
        # Asked before the members are read: what changes meanwhile is told the next time.
        changed = await held.groups.may_have_changed(self._client, held.tenant)
        if self._due.errand == "full" or known is None or await self._is_to_be_repeated("groups"):
            outcome = await self._full("groups", held.groups, known)
        elif changed:
            outcome = await self._differences("groups", held.groups, known)
        else:
            await confirm(held.tenant, held.groups.facets, self._outlet, asked_at)
            return Outcome()
        if outcome.state == "ok":
            held.groups.was_read()
        return outcome

    async def _differences(self, part: Part, source: Source, known: Known) -> Outcome:
        brought = await self._poll(source, known, whole=True)
        return await self._full(part, source, known) if brought.suspicious else outcome_of(brought)

    async def _poll(self, source: Source, known: Known, *, whole: bool) -> Round:
        return await poll_round(self._client, self._held.tenant, source, self._outlet, known, whole=whole)

    async def _full(self, part: Part, source: Source, known: Known | None) -> Outcome:
        held, told = self._held, (known or Known()) if part != "users" else None
        await held.parts.begin(part, self._due.refresh)
        started_at = self._outlet.now()
        watched = Reported(source, lambda entries: held.parts.progress(part, entries))
        brought = await full_round(self._client, held.tenant, watched, self._outlet, told)
        held.unjudged.discard(part)
        if any(sync.status == "skipped" for sync in brought.syncs):
            held.unjudged.add(part)
        held.read_whole.add(part)
        if brought.malformed:
            held.known.pop(part, None)
        elif told is not None:
            held.known[part] = told
        return outcome_of(brought, started_at)

    async def _is_to_be_repeated(self, part: Part) -> bool:
        """Tell whether the last full sync of a part could not be judged, and could be now."""
        if part not in self._held.unjudged:
            return False
        try:
            await self._outlet.history.last_runs(self._held.tenant.tenant, "directory", GRAPH)
        except HistoryUnavailableError:
            return False
        return True
