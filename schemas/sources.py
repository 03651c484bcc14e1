"""Owns the state of a source's parts (topic `sources`, key = tenant/source/part, placed by tenant): how the last
reading of a list went, and where the next one begins."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.events import FacetName
from schemas.identifiers import SourceName, TenantId
from schemas.times import Instant

Part = Literal["skus", "users", "accounts", "applications", "numbers", "groups", "notifications"]
Reading = Literal["reading", "ok", "held", "failing"]
"""`held`: a full sync would have removed too many, or answered nothing, and swept nothing."""


class SourceState(BaseModel):
    """One part of a source of a tenant, such as a list. What is `failing` keeps its facts: the count stays, the facets
    turn stale."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    tenant: TenantId
    source: SourceName
    part: Part
    facets: list[FacetName]
    """What it tells of; empty where it feeds no facet."""
    state: Reading
    reason: str = ""
    """Why it is held or failing, and what to do; no personal data."""
    since: Instant
    """When it came into this state."""
    at: Instant
    """When this was written."""
    read: Annotated[int, Field(ge=0)] = 0
    """Entries read so far by the reading under way, or by the last one."""
    full_at: Instant | None = None
    """When the last full reading that swept began."""
    refresh: str | None = None
    """The request for a refresh that the last full reading answers."""
    directory: str = ""
    """Which directory it was read of; a cursor means nothing in another."""
    cursor: str | None = None
    """Where the next reading of changes begins; written only after all before it was confirmed by the broker."""


def source_key(tenant: str, source: str, part: Part) -> bytes:
    """Return the key of a state."""
    return f"{tenant}/{source}/{part}".encode()
