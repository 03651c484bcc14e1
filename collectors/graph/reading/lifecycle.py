"""Owns the template groups of a tenant as a source: who is in which, nested groups included, and whether that may have
changed since it was read last."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from collectors.graph.api.client import BatchRequest, GraphClient, JsonObject, Page
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import GoneError, GraphError, ResyncRequiredError, RoundExpiredError
from collectors.graph.mapping.facts import Observation
from collectors.graph.mapping.groups import lifecycle, member, memberships, nested_group
from collectors.graph.mapping.values import MalformedEntryError, text
from schemas.events import FacetName

MOST_WATCHED: Final = 50
"""As many groups as one delta filter takes; with more of them, nested ones counted, members are read at each poll."""


@dataclass(slots=True)
class Groups:
    """The template groups, by object id. Its entries are made here: `{"group": id}` for each group that answered, then
    `{"user": subject, "groups": names}` for each member, and `{"malformed": reason}` for one that cannot be read."""

    template_groups: Sequence[str]
    facets: tuple[FacetName, ...] = ("lifecycle",)
    _link: str | None = None
    _unread: bool = True
    _watched: frozenset[str] = frozenset()
    _nested: set[str] = field(default_factory=set)
    _malformed: list[str] = field(default_factory=list)

    async def may_have_changed(self, client: GraphClient, tenant: GraphTenant) -> bool:
        """Ask for changes of the groups and those nested in them. True also where that cannot be known, and until
        `was_read`: the place in the changes moves on, whatever becomes of the reading. Raises GraphError."""
        wanted = frozenset((*self.template_groups, *self._nested))
        if len(wanted) > MOST_WATCHED:
            self._unread = True
            return True
        known = self._link if wanted == self._watched else None
        try:
            changed, self._link = await _changes(client, tenant, known or _first(wanted))
        except (ResyncRequiredError, RoundExpiredError):
            changed, self._link = True, None
        self._watched = wanted
        self._unread = self._unread or changed or known is None
        return self._unread

    def was_read(self) -> None:
        """Take note that all that was found to have changed has been read, and that the broker has it."""
        self._unread = False

    async def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        """Read the groups whole. Raises GraphError, also for one that is not there: a mistyped id must not
        empty a tenant."""
        del link
        self._nested.clear()
        self._malformed.clear()
        names = await self._names(client, tenant)
        members = {group: await self._members(client, tenant, group) for group in self.template_groups}
        yield Page([{"group": group} for group in self.template_groups])
        yield Page([{"malformed": reason} for reason in self._malformed])
        yield Page([{"user": user, "groups": groups} for user, groups in memberships(members, names).items()])

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        if "malformed" in entry:
            raise MalformedEntryError(entry["malformed"])
        return [lifecycle(entry["user"], entry["groups"])] if "user" in entry else []

    async def _names(self, client: GraphClient, tenant: GraphTenant) -> dict[str, str]:
        answers = await of_each_group(client, tenant, self.template_groups, "?$select=id,displayName")
        return {group: text(answer, "displayName") or group for group, answer in answers.items()}

    async def _members(self, client: GraphClient, tenant: GraphTenant, group: str) -> list[str]:
        found: list[str] = []
        async for page in client.pages(tenant, f"{_path(group)}/transitiveMembers?$select=id&$top=999"):
            for entry in page.values:
                try:
                    subject = member(entry)
                    nested = None if subject else nested_group(entry)
                except MalformedEntryError as error:
                    self._malformed.append(str(error))
                    continue
                if subject is not None:
                    found.append(subject)
                elif nested is not None:
                    self._nested.add(nested)
        return found


async def of_each_group(
    client: GraphClient, tenant: GraphTenant, groups: Sequence[str], what: str
) -> dict[str, JsonObject]:
    """Return what each group answers to a question, by its id; `what` follows its path. Raises GraphError, which names
    a group that is not there."""
    answers = await client.batch(tenant, [BatchRequest(f"{_path(group)}{what}") for group in groups])
    found: dict[str, JsonObject] = {}
    for group, answer in zip(groups, answers, strict=True):
        if isinstance(answer, GoneError):
            reason = f"the template group {group} is not there"
            raise GraphError(answer.call, reason, "correct the template groups of the tenant, or restore the group")
        if isinstance(answer, GraphError):
            raise answer
        found[group] = answer
    return found


def _path(group: str) -> str:
    return f"/groups/{quote(group, safe='')}"


def _first(groups: Iterable[str]) -> str:
    condition = " or ".join(f"id eq '{group}'" for group in sorted(groups))
    return f"/groups/delta?$select=displayName,members&$filter={quote(condition)}"


async def _changes(client: GraphClient, tenant: GraphTenant, address: str) -> tuple[bool, str | None]:
    changed, link = False, None
    async for page in client.pages(tenant, address):
        changed, link = changed or bool(page.values), page.delta_link
    return changed, link
