"""Owns the reading of a Teams list for some users alone, after a notification: quick, and never the whole truth."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from collectors.graph.api.client import BatchRequest, GraphClient, JsonObject, Page
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import GoneError, GraphError
from collectors.graph.mapping.facts import Observation
from collectors.graph.reading.sources import ACCOUNT_SELECT, ACCOUNTS, NUMBER_SELECT, NUMBERS, Accounts, Numbers, Source
from schemas.events import FacetName

MOST_USERS: Final = 100
"""With more of them the whole lists are read: those take about as many requests."""


@dataclass(frozen=True, slots=True)
class OfUsers:
    """A list of Teams, of some users alone; `path` has a place for `{user}`. What it does not tell of is not gone: that
    is for the whole list to say."""

    source: Source
    path: str
    users: Sequence[str]

    @property
    def facets(self) -> tuple[FacetName, ...]:
        return self.source.facets

    async def pages(self, client: GraphClient, tenant: GraphTenant, link: str | None) -> AsyncIterator[Page]:
        del link
        requests = [BatchRequest(self.path.format(user=quote(user, safe=""))) for user in self.users]
        yield Page([entry for answer in await client.batch(tenant, requests) for entry in _entries(answer)])

    def observe(self, entry: JsonObject) -> Iterable[Observation]:
        return self.source.observe(entry)


def accounts_of(accounts: Accounts, users: Sequence[str]) -> OfUsers:
    """Return the Teams accounts of these users, by object id."""
    return OfUsers(accounts, f"{ACCOUNTS}/{{user}}?{ACCOUNT_SELECT}", users)


def numbers_of(numbers: Numbers, users: Sequence[str]) -> OfUsers:
    """Return the numbers that are assigned to these users, by object id."""
    return OfUsers(numbers, f"{NUMBERS}?{NUMBER_SELECT}&$filter=assignmentTargetId%20eq%20'{{user}}'", users)


def _entries(answer: JsonObject | GraphError) -> list[JsonObject]:
    if isinstance(answer, GoneError):
        return []
    if isinstance(answer, GraphError):
        raise answer
    return answer["value"] if isinstance(answer.get("value"), list) else [answer]
