"""Owns a request to the fake once it is read and its tenant is known, and what its query says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tests.support.graph.answers import bad_request
from tests.support.graph.directory import FakeTenant

if TYPE_CHECKING:
    from tests.support.graph.fake import FakeGraph


@dataclass(frozen=True, slots=True)
class Call:
    """A request. `path` is below the version, `headers` have lower-case names, `roles` are those of the token."""

    graph: "FakeGraph"
    tenant: FakeTenant
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    roles: frozenset[str]
    body: Any = None

    @property
    def ms_tenant_id(self) -> str:
        """The tenant that the token is for."""
        return self.tenant.ms_tenant_id

    def link(self, path: str, query: Mapping[str, str | int]) -> str:
        """Return the absolute address of another page."""
        return f"{self.graph.url}{path}?{urlencode(query, safe='$', quote_via=quote)}"

    def context(self, of: str) -> str:
        """Return `@odata.context`."""
        return f"{self.graph.url}/$metadata#{of}"

    def page_size(self, default: int, most: int) -> int:
        """Read `Prefer: odata.maxpagesize`, which asks for no more than the service gives."""
        for wish in self.headers.get("prefer", "").split(","):
            name, _, value = wish.strip().partition("=")
            if name.lower() == "odata.maxpagesize" and value.isdigit() and int(value):
                return min(int(value), most)
        return default


def names(select: str) -> tuple[str, ...]:
    """Read `$select`."""
    return tuple(name.strip() for name in select.split(",") if name.strip())


def number(query: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """Read `$top` or `$skip`; 400 where it is out of its range."""
    value = query.get(name, "")
    if not value:
        return default
    if not value.isdigit() or not least <= int(value) <= most:
        raise bad_request(f"Invalid value for {name}.", "Request_BadRequest")
    return int(value)


def selected(row: Mapping[str, Any], select: str) -> dict[str, Any]:
    """Return the selected properties of an object, all without `$select`; its id always."""
    wanted = {"id", "@odata.type", *names(select)}
    return {name: value for name, value in row.items() if name in wanted} if select else dict(row)
