"""Owns the models of the reclaim list."""

from typing import Literal

from licensing.reclaim import Reason
from portal.api.models.base import Shown
from portal.api.models.seats import KnownFacet
from schemas.count import FactorName, Number
from schemas.events import FacetName
from schemas.identifiers import SubjectId


class ReclaimItem(Shown):
    """A counted subject that may be wasting a seat, for one reason."""

    subject: SubjectId
    display_name: str | None
    user_principal_name: str | None
    factor: FactorName
    """Where it is counted."""
    reason: Reason
    explanation: str
    """For people: why it is on the list, and what frees its seat, or why nothing does."""
    saving: Literal[0, 1]
    """Seats that acting on this frees."""
    stale: bool
    """Whether what it rests on has not been confirmed by its source for too long: look again before acting."""
    facts: dict[FacetName, KnownFacet]
    """What it rests on."""


class ReclaimTotals(Shown):
    """How much there is in all, of every reason."""

    items: Number
    subjects: Number
    seats: Number
    """Seats that acting on all of it frees: each subject once."""
    by_reason: dict[Reason, Number]


class ReclaimPage(Shown):
    """A page of what may be reclaimed, by reason, then by subject: what frees no seat comes last."""

    totals: ReclaimTotals
    stale_facets: list[FacetName]
    """Facets that their sources have not confirmed for too long."""
    items: list[ReclaimItem]
    next_cursor: str | None
    """`cursor` of the next page; null on the last one."""
