"""Owns what is read of a tenant: the lists of Microsoft Graph, and which facets their entries tell of.

Users have a delta, so a round may begin at a link. Teams has none: its lists are read whole each time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from collectors.graph.api.client import GraphClient, JsonObject, Page
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.mapping.facts import USER_SELECT, AccountKind, Observation, account, directory, number
from collectors.graph.mapping.plans import is_resource_account, subscription
from collectors.graph.mapping.values import text, user_of
from schemas.events import FacetName

USERS: Final = f"/users/delta?$select={','.join(USER_SELECT)}"
ACCOUNTS: Final = "/admin/teams/userConfigurations"
ACCOUNT_SELECT: Final = "$select=id,accountType,isEnterpriseVoiceEnabled,effectivePolicyAssignments"
NUMBERS: Final = "/admin/teams/telephoneNumberManagement/numberAssignments"
NUMBER_SELECT: Final = "$select=telephoneNumber,numberType,assignmentTargetId,assignmentCategory,assignmentStatus"
NUMBERS_PAGE: Final = 1_000
"""As many as Graph gives."""

RESOURCE_ACCOUNTS: Final = "/beta/admin/teams/resourceAccounts"
_APPLICATIONS: Final = {
    "ce933385-9390-45d1-9512-c8d228074e07": "auto_attendant",
    "11cd3e2e-fccb-42ad-ad00-878b93575e07": "call_queue",
}

LARGE_PAGES: Final = {"Prefer": "odata.maxpagesize=999"}
"""A wish: Graph gives as many as it likes."""

Kinds = dict[str, AccountKind]
Applications = dict[str, str]


class Source(Protocol):
    """One list of a tenant. `facets`: all that its entries tell of, each swept when the list was read whole."""

    @property
    def facets(self) -> tuple[FacetName, ...]: ...

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        """Read the list, from a delta link on where there is one. Raises GraphError."""

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        """Return what an entry says. Raises MalformedEntryError."""


@dataclass(slots=True)
class Users:
    """The users of the directory and their licences. `resource_accounts` grows on the way: who is one by licence."""

    sku_names: Mapping[str, str]
    resource_accounts: set[str] = field(default_factory=set)
    facets: tuple[FacetName, ...] = ("directory", "subscription")

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        return client.pages(tenant, link or USERS, LARGE_PAGES)

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        observed = [each for each in (directory(entry), subscription(entry, self.sku_names)) if each is not None]
        if observed:
            keep = self.resource_accounts.add if is_resource_account(entry) else self.resource_accounts.discard
            keep(observed[0].subject)
        return observed


@dataclass(slots=True)
class Accounts:
    """The voice settings of Teams accounts. `kinds` grows on the way: what each account is, if it is not a user's;
    `enabled`: users with enterprise voice, by the last reading."""

    kinds: Kinds = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    facets: tuple[FacetName, ...] = ("voice",)

    async def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        del link  # Teams has no delta
        self.enabled.clear()
        async for page in client.pages(tenant, f"{ACCOUNTS}?{ACCOUNT_SELECT}", LARGE_PAGES):
            yield page

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        found = account(entry)
        if found.kind == "user":
            self.kinds.pop(found.subject, None)
        else:
            self.kinds[found.subject] = found.kind
        if found.voice is None:
            return []
        if (found.voice.facts or {}).get("enterprise_voice"):
            self.enabled.add(found.subject)
        return [found.voice]


@dataclass(slots=True)
class Numbers:
    """Numbers and what they are assigned to. `kinds`: what their holders are, so that a resource account's number is
    not taken for a user's; `applications`: which application a resource account is, where beta was asked."""

    kinds: Kinds
    applications: Applications = field(default_factory=dict)
    facets: tuple[FacetName, ...] = ("phone_number", "service_number")

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        del link  # Teams has no delta
        return client.skip_pages(tenant, f"{NUMBERS}?{NUMBER_SELECT}", NUMBERS_PAGE)

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        found = number(entry, self.kinds, self.applications)
        return [found] if found is not None else []


async def read_applications(client: GraphClient, tenant: GraphTenant) -> Applications:
    """Return the kind of service number of each resource account, by subject; beta alone tells it. Raises GraphError,
    MalformedEntryError."""
    found: Applications = {}
    async for page in client.pages(tenant, f"{tenant.cloud.graph}{RESOURCE_ACCOUNTS}"):
        for entry in page.values:
            found[user_of(entry, "id")] = _APPLICATIONS.get((text(entry, "appId") or "").lower(), "other")
    return found
