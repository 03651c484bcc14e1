"""Owns what the portal is given: its ports beside the store, and the dataclass that carries them all into the app.

The exceptions of the ports:

    ServiceError
    ├── NoBroker          Kafka did not confirm in time
    ├── NoAnswer          nobody answered a command in time
    ├── NotDurable        it is in Kafka, and was not seen on disk in time
    └── TokensUnreadable  API tokens could not be read for too long
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from starlette.requests import HTTPConnection

from portal.access.principals import Principal
from portal.figures import Figures, OwnFigures
from portal.ports import Store, Token
from schemas.alert import Alert, AlertRule
from schemas.commands import Answer, Refresh, SyncRun
from schemas.count import Count
from schemas.intake import Rejection
from schemas.settings import ProviderSettings, TenantSettings
from schemas.sources import SourceState
from schemas.times import from_ms, to_ms


class ServiceError(Exception):
    """A part of the world that the portal needs is not there; the text says which, and what to do."""


class NoBroker(ServiceError):  # noqa: N818 -- says what is the matter
    """Kafka did not confirm in time."""


class NoAnswer(ServiceError):  # noqa: N818 -- says what is the matter
    """Nobody answered a command in time; it may still be carried out."""


class NotDurable(ServiceError):  # noqa: N818 -- says what is the matter
    """The records are in Kafka, and what follows from them was not seen on disk in time."""


class TokensUnreadable(ServiceError):  # noqa: N818 -- says what is the matter
    """API tokens could not be read for too long."""


Audience = frozenset[str] | None
"""Whose counts somebody may hear of and wants to: some tenants, or all (None)."""


class News(Protocol):
    """Newest counts and changes of alerts, oldest first; or how far refreshes are, and neither."""

    @property
    def counts(self) -> Sequence[Count]: ...

    @property
    def alerts(self) -> Sequence[Alert]: ...

    @property
    def id(self) -> str:
        """What a client gives back to resume after them; empty where there are none."""

    @property
    def text(self) -> bytes:
        """The same as server-sent events, encoded once for all listeners."""


class Subscription(Protocol):
    """The counts, alerts and refreshes that change from now on; a slow reader gets the newest of each."""

    def __aiter__(self) -> AsyncIterator[News | None]:
        """Yield what has changed; None after some seconds without one, so that dead connections are noticed."""


class LiveCounts(Protocol):
    """Current counts and settings of all tenants."""

    @property
    def ready(self) -> bool:
        """Whether all that was there at the start has been read."""

    def count(self, tenant: str) -> Count | None: ...

    def counts(self) -> Mapping[str, Count]: ...

    def settings(self, tenant: str) -> TenantSettings | None: ...

    def all_settings(self) -> Mapping[str, TenantSettings]: ...

    def provider(self) -> ProviderSettings: ...

    def newest_id(self, audience: Audience) -> str:
        """Return the id that resumes after all that is known now."""

    def subscribe(self, audience: Audience, last_id: str | None) -> AbstractAsyncContextManager[Subscription]:
        """Open the stream: first what is newest of each tenant and changed since `last_id`, then changes."""


class SourceStates(Protocol):
    """How the sources of all tenants are doing."""

    def of(self, tenant: str) -> Sequence[SourceState]:
        """Return the states of a tenant's sources, by source and part."""


class OpenAlerts(Protocol):
    """The newest change of every alert."""

    @property
    def complete(self) -> bool:
        """Whether also those that opened long ago have been read."""

    def of(self, tenant: str) -> Sequence[Alert]:
        """Return the newest change of each alert of a tenant, also of those that are over; the gravest first."""

    def newest(self) -> Iterable[Alert]:
        """Yield the newest change of every alert of all tenants."""

    def open_of(self, tenant: str, rule: AlertRule) -> Alert | None:
        """Return the open alert of a rule, None where there is none."""


class Acknowledgements(Protocol):
    """Alerts that people say they have seen, noted by the alert process that watches the tenant."""

    async def acknowledge(self, tenant: str, rule: AlertRule, by: str) -> Answer:
        """Send an acknowledgement and return its answer. Raises NoBroker, NoAnswer."""


Mode = Literal["put", "patch", "remove", "purge"]


class SettingsCommands(Protocol):
    """Changes of settings, carried out by the counter that owns the tenant."""

    async def change(self, tenant: str, mode: Mode, body: dict[str, Any], if_match: int | None, by: str) -> Answer:
        """Send a change and return its answer. Raises NoBroker, NoAnswer, NotDurable."""


class Refreshes(Protocol):
    """Full syncs that people ask for, carried out by the collector of the tenant."""

    async def refresh(self, tenant: str, by: str) -> Refresh:
        """Ask for a refresh. Raises NoBroker."""

    def heard(self, refresh_id: str) -> Refresh | None:
        """Return a refresh that this or another portal sent, if it was among the last ones."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of the events of a request; `unknown_facts` of them were left out."""

    accepted: int
    rejected: list[Rejection]
    unknown_facts: int = 0


class EventIntake(Protocol):
    """Events by HTTP."""

    async def accept(self, body: bytes, now_ms: int, may_send: Callable[[str], bool]) -> Accepted:
        """Validate, publish, wait for Kafka (or the disk, if the broker forgets). `may_send`: whose events are taken.

        Raises NoBroker, NotDurable.
        """


class ApiTokens(Protocol):
    """API tokens, and whom they stand for."""

    async def recognise_token(self, asks: HTTPConnection) -> Principal | None:
        """Return whom the bearer token of a request stands for; None without one, or for one that is of no use.

        Raises TokensUnreadable.
        """

    async def all(self) -> list[Token]:
        """Return all tokens that nobody has revoked, oldest first."""

    async def add(self, token: Token) -> None:
        """Keep a new token."""

    async def revoke(self, token: Token, by: str) -> None:
        """Make a token useless, here at once, elsewhere within seconds."""


class SyncConfirmations(Protocol):
    """Held syncs that a person lets through."""

    async def confirm(self, run: SyncRun, by: str, now: datetime) -> SyncRun:
        """Send the `sync_completed` of a held run to every partition, and tell of it. Raises NoBroker, NotDurable."""


@dataclass(frozen=True, slots=True)
class About:
    """What `/readyz` tells of the installation; `poolwatch import` finds the broker by it."""

    version: str
    embedded: bool
    kafka_bootstrap: str
    topic_prefix: str
    partitions: int


def utc_now() -> datetime:
    """Return the time, cut to milliseconds as all instants are."""
    return from_ms(to_ms(datetime.now(UTC)))


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the app needs of the world."""

    store: Store
    live: LiveCounts
    sources: SourceStates
    settings: SettingsCommands
    refreshes: Refreshes
    intake: EventIntake
    syncs: SyncConfirmations
    alerts: OpenAlerts
    acknowledgements: Acknowledgements
    tokens: ApiTokens
    about: About
    figures: Figures = field(default_factory=OwnFigures)
    clock: Callable[[], datetime] = field(default=utc_now)
