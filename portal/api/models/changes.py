"""Owns the models of what changed: subjects that moved, and settings that moved many at once."""

from typing import Literal

from licensing.timeline import Kind
from portal.api.models.base import Page, Shown
from schemas.changes import ChangeKind
from schemas.count import FactorName, Number
from schemas.events import FacetName
from schemas.identifiers import SubjectId
from schemas.times import Instant


class Totals(Shown):
    """Subjects that a change of settings moved."""

    gained: Number
    lost: Number
    moved: Number


class SubjectChange(Shown):
    """A subject that began or ceased to be counted, or moved between factors."""

    at: Instant
    subject: SubjectId
    from_factor: FactorName | None
    to_factor: FactorName | None
    kind: Kind
    cause: ChangeKind
    facet: FacetName | None
    source: str | None


class SettingsMoves(Shown):
    """A change of settings, with the number of subjects that it moved."""

    at: Instant
    subject: None
    from_factor: None
    to_factor: None
    kind: Literal["settings"]
    cause: Literal["tenant_settings", "provider_settings"]
    facet: None
    source: str | None
    """Who changed them."""
    revision: Number
    subjects: Number
    totals: Totals
    factors: dict[FactorName, int]
    """Net, by factor: of a factor that lost six and gained two it says -4."""


class ChangePage(Page[SubjectChange | SettingsMoves]):
    """A page of changes, oldest first."""
