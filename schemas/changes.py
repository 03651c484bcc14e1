"""Owns what the meter tells of its state: seat changes and finished syncs (`seat-changes`), and tallies (`tallies`)."""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from schemas.count import Cause
from schemas.events import FacetName
from schemas.identifiers import TenantId
from schemas.times import Instant

ChangeKind = Literal["event", "sweep", "rules", "removed"]
Profile = Annotated[int, Field(ge=0, le=255)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SeatChange(_Model):
    """One change of a subject's facts or profile. The revisions of a subject count its changes without a gap, so that
    each old profile is the new profile of the revision before."""

    type: Literal["seat_change"] = "seat_change"
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Made from content: a change that is told twice has the same id."""
    tenant: TenantId
    subject: str
    rev: Annotated[int, Field(ge=1)]
    kind: ChangeKind
    facet: FacetName | Literal[""]
    """The facet that changed; empty where rules or a removal changed the profile alone."""
    facts: str
    """Canonical JSON of the facet's facts; empty = cleared or swept."""
    facts_hash: str
    """First 16 bytes of the SHA-256 of the observed facts, in hex, kept when they are swept; empty for a clear."""
    source: str
    observed_at: Instant
    recorded_at: Instant
    old_profile: Profile | None
    """None: the subject was not known before."""
    new_profile: Profile
    settings_revision: Annotated[int, Field(ge=0)]
    epoch: Annotated[int, Field(ge=0)] = 0
    """Of the owner that told it. A change makes void what lower epochs told of the subject in its revision or a later
    one: those owners died or were superseded before they could keep it (docs/delivery.md)."""


class SyncRecord(_Model):
    """A sync of a source that has reached one partition of the meter."""

    type: Literal["sync"] = "sync"
    tenant: TenantId
    partition: int
    facet: FacetName
    source: str
    started_at: Instant
    recorded_at: Instant


class Tally(_Model):
    """Absolute partial count of one source partition; of a partition's tallies the highest (epoch, seq) wins."""

    type: Literal["tally"] = "tally"
    tenant: TenantId
    partition: int
    partitions: int
    epoch: int
    seq: int
    settings_revision: int
    criteria: str
    """Fingerprint of the criteria that the profiles were computed with."""
    profiles: dict[str, int]
    freshness: dict[str, dict[str, tuple[Instant | None, Instant | None]]]
    """By facet and source: when it was last confirmed (sync or facet_confirmed), and its newest observation."""
    as_of: Instant | None
    cause: Cause


class SnapshotEnd(_Model):
    """A partition has published all its tallies of this epoch: older ones name tenants that have vanished."""

    type: Literal["snapshot_end"] = "snapshot_end"
    partition: int
    epoch: int


class DeadLetter(_Model):
    """Headers of a dead letter (all text); the value is the original bytes, cut at 512 KiB."""

    reason: str
    detail: str
    topic: str
    partition: str
    offset: str
    index: str
    """Place in the array the event came in, 0 for a single event."""
    failed_at: Instant
    length: str
    sha256: str


class WireSeatChange(msgspec.Struct, tag_field="type", tag="seat_change", gc=False):
    """`SeatChange` as the meter writes it: times are text already."""

    id: str
    tenant: str
    subject: str
    rev: int
    kind: str
    facet: str
    facts: str
    facts_hash: str
    source: str
    observed_at: str
    recorded_at: str
    old_profile: int | None
    new_profile: int
    settings_revision: int
    epoch: int = 0
