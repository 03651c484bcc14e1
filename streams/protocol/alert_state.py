"""Owns what is kept of a tenant's alerts (topic `alert-state`, key = tenant): the state of its rules, what was found,
and what is yet to be told. One record holds all of it, so that no crash parts a change from its telling."""

import msgspec

from licensing.alerts.readings import Found
from licensing.alerts.triggers import RuleState
from schemas.alert import AlertRule

MOST_UNTOLD = 500
"""Of a tenant. A channel that is away for long must not make its record too large for the broker."""


class Pending(msgspec.Struct):
    """A message that a channel has not taken yet."""

    attempts: int = 0
    due_ms: int = 0


class Untold(msgspec.Struct):
    """A change of an alert (JSON) that is not published yet, or not told by every channel."""

    alert: msgspec.Raw
    id: str
    published: bool = False
    channels: dict[str, Pending] = {}


class AlertState(msgspec.Struct):
    """A tenant's alerts. Of two records, the one of the higher (epoch, seq) is the newer."""

    tenant: str
    epoch: int = 0
    seq: int = 0
    at: int = 0
    """Up to when time has passed for it, in ms since 1970."""
    count: tuple[int, int] = (-1, -1)
    """Epoch and version of the newest count that was taken."""
    rules: dict[AlertRule, RuleState] = {}
    found: dict[AlertRule, Found] = {}
    outbox: list[Untold] = []

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.rules and not self.found and not self.outbox


_decoder = msgspec.json.Decoder(AlertState)


def decode_state(value: bytes) -> AlertState:
    """Return a state; raises msgspec.DecodeError for bytes that are none."""
    return _decoder.decode(value)


def encode_state(state: AlertState) -> bytes:
    """Return its JSON."""
    return msgspec.json.encode(state)
