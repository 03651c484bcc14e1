"""Owns the models of single subjects: seats and explanations."""

from typing import Any, Literal

from licensing.timeline import Kind
from portal.api.models.base import Page, Shown
from schemas.changes import ChangeKind
from schemas.count import FactorName
from schemas.events import FacetName
from schemas.identifiers import SubjectId
from schemas.times import Instant


class Seat(Shown):
    """A subject, as known now or at the instant that was asked for."""

    subject: SubjectId
    display_name: str | None
    user_principal_name: str | None
    factor: FactorName | None
    """Where it is counted; null where it is not."""
    matched: list[FactorName]
    """All factors that it matches, enabled or not, by priority."""
    since: Instant | None
    """Since when it is counted there, or is not counted."""


class SeatPage(Page[Seat]):
    """A page of seats, by subject."""


class KnownFacet(Shown):
    """The newest observation of a facet."""

    observed_at: Instant
    source: str
    facts: dict[str, Any] | None
    """Null where they were cleared or swept."""


class Decision(Shown):
    """What a factor makes of the subject."""

    factor: FactorName
    enabled: bool
    matches: bool
    counted: bool
    reason: str
    """A sentence for people."""


class Move(Shown):
    """A move of the subject between factors."""

    at: Instant
    from_factor: FactorName | None
    to_factor: FactorName | None
    kind: Kind
    cause: ChangeKind | Literal["settings"]
    facet: FacetName | None
    source: str | None


class Explanation(Shown):
    """Why a subject is counted, or not."""

    subject: SubjectId
    factor: FactorName | None
    since: Instant | None
    facts: dict[FacetName, KnownFacet]
    decisions: list[Decision]
    """One a factor, by priority."""
    changes: list[Move]
    """What led there, oldest first."""


class ForgottenSeat(Shown):
    """What became of a subject that was forgotten."""

    pseudonym: SubjectId
    """What its history is kept under."""
    changes: int
    """How many changes that is."""
    cleared: list[FacetName]
    """What sources still told of it."""
    kafka_until: Instant
    """When the last record of it has left the topics that keep events."""
