"""Owns what is told of alerts (topic `alerts`, key = tenant). What raises one is decided in `licensing.alerts`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.identifiers import TenantId
from schemas.times import Instant

AlertRule = Literal["pool", "forecast", "stale", "sync_held", "sync_failing", "suspicious_tag", "teams_phone"]
AlertLevel = Literal["warning", "critical", "over", "over_grace"]
"""From the lowest to the highest; rules other than `pool` know `warning` alone."""
AlertState = Literal["firing", "resolved"]
AlertChange = Literal["raised", "escalated", "lowered", "resolved", "reminded", "acknowledged"]
"""`raised`: from nothing, or anew because the limits or the pool have changed."""


class Alert(BaseModel):
    """One change of the one alert that a tenant may have of a rule."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["alert"] = "alert"
    id: Annotated[str, Field(min_length=1, max_length=64)]
    """Of the change, made from its content: lets a receiver drop repeats."""
    tenant: TenantId
    rule: AlertRule
    change: AlertChange
    state: AlertState
    level: AlertLevel | None
    """The level now, None once resolved."""
    value: float | None
    """What the rule watches: percent of the pool (seats in use where it has none), days left, or a number of things."""
    threshold: float | None
    """What it was held against, in the same unit."""
    since: Instant
    """When the alert was raised from nothing."""
    at: Instant
    """When the change came about."""
    settings_revision: Annotated[int, Field(ge=0)]
    acknowledged_by: str | None = None
    detail: str
    """A sentence for people."""
    todo: str
    """What to do next, a sentence for people."""


class Delivery(BaseModel):
    """What became of the telling of a change by one channel."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["delivery"] = "delivery"
    id: Annotated[str, Field(min_length=1, max_length=64)]
    """Of the change."""
    tenant: TenantId
    rule: AlertRule
    channel: str
    state: Literal["delivered", "failed", "given_up"]
    """`failed` is tried again; what was given up lies in `dead-letters`."""
    attempts: Annotated[int, Field(ge=0)]
    at: Instant
    error: str | None = None
