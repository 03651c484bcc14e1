"""Owns what is read of a tenant: the lists of Microsoft Graph, and which facets their entries tell of.

Users have a delta, so a round may begin at a link. Teams has none: its lists are read whole each time.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from collectors.graph.client import GraphClient, JsonObject, Page
from collectors.graph.clouds import GraphTenant
from collectors.graph.facts import USER_SELECT, AccountKind, Observation, account, directory, number
from collectors.graph.plans import subscription
from schemas.events import FacetName

USERS: Final = f"/users/delta?$select={','.join(USER_SELECT)}"
ACCOUNTS: Final = "/admin/teams/userConfigurations"
NUMBERS: Final = "/admin/teams/telephoneNumberManagement/numberAssignments"
NUMBERS_PAGE: Final = 1_000
"""As many as Graph gives."""

Kinds = dict[str, AccountKind]


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
    """The users of the directory and their licences."""

    sku_names: Mapping[str, str]
    facets: tuple[FacetName, ...] = ("directory", "subscription")

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        return client.pages(tenant, link or USERS)

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        return [each for each in (directory(entry), subscription(entry, self.sku_names)) if each is not None]


@dataclass(slots=True)
class Accounts:
    """The voice settings of Teams accounts. `kinds` grows on the way: what each account is."""

    kinds: Kinds = field(default_factory=dict)
    facets: tuple[FacetName, ...] = ("voice",)

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        return client.pages(tenant, link or ACCOUNTS)

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        found = account(entry)
        self.kinds[found.subject] = found.kind
        return [found.voice] if found.voice is not None else []


@dataclass(slots=True)
class Numbers:
    """Numbers and what they are assigned to. `kinds`: what their holders are, so that a resource account's number is
    not taken for a user's."""

    kinds: Kinds
    facets: tuple[FacetName, ...] = ("phone_number", "service_number")

    def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        return client.pages(tenant, link) if link else client.skip_pages(tenant, NUMBERS, NUMBERS_PAGE)

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        found = number(entry, self.kinds)
        return [found] if found is not None else []
