"""Owns a change of an alert's state (topic `alerts`, key = tenant). What raises one is decided in `licensing` and
`streams`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identifiers import TenantId
from schemas.times import Instant

AlertRule = Literal["pool", "stale", "sync_held"]
AlertLevel = Literal["warning", "critical"]


class Alert(BaseModel):
    """One change of an alert: it fires once on entering a level, and resolves on leaving the last."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["alert"] = "alert"
    id: Annotated[str, Field(min_length=1, max_length=64)]
    """Of the change: lets a receiver drop repeats."""
    tenant: TenantId
    rule: AlertRule
    state: Literal["firing", "resolved"]
    level: AlertLevel | None
    """The level now, None once resolved."""
    value: float | None
    """What the rule watches: percent of the pool, or seconds since the source was last confirmed."""
    threshold: float | None
    at: Instant
    settings_revision: Annotated[int, Field(ge=0)]
    detail: str
    """A sentence for people."""
