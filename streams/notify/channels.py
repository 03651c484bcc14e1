"""Owns what a channel is: where it leads, whose alerts it takes, and when it keeps quiet. Pure.

Channels are the operator's, for they hold credentials; a tenant's settings only name them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from licensing.alerts.levels import rank
from schemas.alert import AlertLevel
from schemas.settings import AlertSettings


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time of day in which nobody is told; it may go over midnight. What comes then is told when it ends."""

    begin: time
    end: time
    timezone: ZoneInfo
    except_level: AlertLevel | None = None
    """From this level on people are told at once."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to tell people."""

    name: str
    kind: Literal["apprise", "webhook"]
    address: str
    """An Apprise URL, or a webhook's address: a secret, for both may hold credentials."""
    secret: bytes = b""
    """What a webhook is signed with."""
    tenants: frozenset[str] | None = None
    """Whose alerts it takes; None = those of every tenant."""
    digest_ms: int = 0
    """So long messages are gathered into one."""
    quiet: Quiet | None = None

    def __repr__(self) -> str:
        return f"Channel({self.name!r}, {self.kind!r})"

    def serves(self, tenant: str) -> bool:
        """Tell whether a tenant's alerts may go there."""
        return self.tenants is None or tenant in self.tenants


def channels_for(tenant: str, settings: AlertSettings, channels: Mapping[str, Channel]) -> Sequence[str]:
    """Return the channels that are told of a tenant's alerts: those that its settings name, or all, as far as they
    serve it. Tenants are strangers: naming a channel that serves others alone does nothing."""
    names = sorted(channels) if settings.channels is None else settings.channels
    return [name for name in dict.fromkeys(names) if name in channels and channels[name].serves(tenant)]


def told_from(quiet: Quiet | None, level: AlertLevel | None, at_ms: int) -> int:
    """Return the first instant from `at_ms` on at which people may be told of a level (None = it is over)."""
    if quiet is None or (quiet.except_level is not None and rank(level) >= rank(quiet.except_level)):
        return at_ms
    local = datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(quiet.timezone)
    for day in (local.date() - timedelta(days=1), local.date()):
        begin = datetime.combine(day, quiet.begin, quiet.timezone)
        last = day if quiet.begin < quiet.end else day + timedelta(days=1)
        end = datetime.combine(last, quiet.end, quiet.timezone)
        if begin.timestamp() * 1_000 <= at_ms < end.timestamp() * 1_000:
            return round(end.timestamp() * 1_000)
    return at_ms
