"""Owns the published licence count (topic `license-counts`, REST and `--json`: the same JSON, INTERFACE §2)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identifiers import TenantId
from schemas.times import Instant

FactorName = Literal["direct_routing", "operator_connect", "lifecycle", "user_interface", "service_number"]
CauseKind = Literal["users", "rules", "pool", "refresh", "heartbeat", "rebuild"]
Hint = Literal["no_gateways", "no_pool", "sync_held", "source_failing", "few_teams_phone_licences"]
Number = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FactorCount(_Model):
    """One row of the licence page; see LICENSE-FACTORS §3 for counted, matched, cumulative and display."""

    factor: FactorName
    label: str
    priority: int
    optional: bool
    enabled: bool
    counted: Number
    matched: Number
    cumulative: Number
    display: str


class Cause(_Model):
    """What moved the count: kind, subjects that began and ceased to be counted, and one of them."""

    kind: CauseKind
    subjects_gained: Number = 0
    subjects_lost: Number = 0
    example: str | None = None


class Count(_Model):
    """The licence count of a tenant. Of two, the higher (epoch, version) is the newer."""

    tenant: TenantId
    epoch: Number
    version: Number
    settings_revision: Number
    as_of: Instant | None
    computed_at: Instant
    stale: bool
    acquired_licenses: int | None
    currently_licensed: Number
    available_licenses: int | None
    usage_percent: float | None
    user_licenses: Number
    dr_phone_licenses: Number
    factors: list[FactorCount]
    cause: Cause
    freshness: dict[str, Instant | None]
    hints: list[Hint] = []
    profiles: dict[str, int] = {}
    """Number of subjects by profile (decimal text): what any other set of factors would count follows from it."""
