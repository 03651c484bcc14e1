"""Owns what is handed to those who tell people, and what they report."""

from dataclasses import dataclass
from typing import Literal

from schemas.alert import Alert, AlertRule


@dataclass(frozen=True, slots=True)
class Message:
    """A change of an alert that a channel has not taken yet. (alert.id, channel) is its identity."""

    alert: Alert
    display_name: str | None
    """Of the tenant."""
    channel: str
    attempts: int = 0
    due_ms: int = 0
    """Not to be tried before, in ms since 1970; 0 = at once."""
    is_test: bool = False
    """Nothing has happened: somebody tries the channel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try. `failed` is tried again at `next_ms`, by whoever reports it; `given_up` is not."""

    alert_id: str
    tenant: str
    rule: AlertRule
    channel: str
    state: Literal["delivered", "failed", "given_up"]
    attempts: int
    next_ms: int = 0
    error: str | None = None
    """Without addresses, secrets or answers of the receiver."""
