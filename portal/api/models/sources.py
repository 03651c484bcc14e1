"""Owns the models of sources, their syncs and refreshes."""

from portal.api.models.base import Page, Shown
from schemas.commands import SyncRun
from schemas.count import Hint, Number
from schemas.events import FacetName
from schemas.identifiers import SourceName
from schemas.sources import Part, Reading
from schemas.times import Instant


class SourcePart(Shown):
    """A part of a source, such as a list: how its last reading went."""

    source: SourceName
    part: Part
    facets: list[FacetName]
    """What it tells of; empty where it feeds no facet."""
    state: Reading
    reason: str
    """Why it is held or failing, and what to do."""
    since: Instant
    """When it came into this state."""
    at: Instant
    """When this was told."""
    read: Number
    """Entries read by the reading under way, or by the last one."""
    full_at: Instant | None
    """When the last full reading that swept began."""


class Sources(Shown):
    """Parts of the sources of a tenant, with what its count says of them."""

    items: list[SourcePart]
    freshness: dict[FacetName, Instant | None]
    hints: list[Hint]


class SyncPage(Page[SyncRun]):
    """A page of sync runs, newest first."""


class RefreshStarted(Shown):
    """A refresh that was asked for."""

    id: str
    """`GET /api/v1/refreshes/{id}` tells how far it is."""
