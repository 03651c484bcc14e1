"""Owns what the portal asks of the world: stored history and facts, API tokens, live counts, settings by command, event
intake.

Implementations: `portal.store` (ClickHouse), `portal.kafka` (counts and settings live, commands, intake). Times are
aware UTC datetimes; profiles are the bytes of `licensing.factors`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from licensing.reclaim import Signals
from licensing.reports.usage import Level, Stretch
from licensing.what_if import Tried
from portal.access.principals import Role
from schemas.alert import Alert, AlertState, Delivery


@dataclass(frozen=True, slots=True)
class Seat:
    """A subject as it was known at an instant."""

    subject: str
    profile: int
    display_name: str | None
    user_principal_name: str | None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """One recorded change of a subject (a row of seat_changes)."""

    at: datetime
    subject: str
    rev: int
    old_profile: int | None
    new_profile: int
    kind: str
    facet: str
    source: str


@dataclass(frozen=True, slots=True)
class FacetFacts:
    """The newest facts of one facet; `facts` is None where they were cleared or swept."""

    subject: str
    facet: str
    observed_at: datetime
    source: str
    facts: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class TriedValue:
    """A gateway (facet voice) or a dial-plan tag that criteria are tried against, and how many subjects have it."""

    facet: Tried
    value: str
    subjects: int
    key: int
    """What the store finds its subjects by; another value may share it."""


@dataclass(frozen=True, slots=True)
class AlikeSubjects:
    """Subjects whose facts are the same as far as criteria look at them (`licensing.what_if.DECIDING_FACTS`)."""

    facts: dict[str, dict[str, Any] | None]
    subjects: Sequence[str]


@dataclass(frozen=True, slots=True)
class SettingsRevision:
    """One revision of a tenant's or the provider's settings, as recorded."""

    revision: int
    at: datetime
    by: str | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Figures of one step of a range; `min`, `max`, `avg` (time-weighted) and `last` of currently_licensed."""

    at: datetime
    min: int
    max: int
    last: int
    avg: float
    acquired_licenses: int | None
    user_licenses: int
    dr_phone_licenses: int
    factors: dict[str, dict[str, int]]
    """`{"direct_routing": {"counted": n, "matched": n}, …}`, of the last count in the bucket."""
    demo: bool = False
    """Whether it is seeded demo data: figures of it are labelled as such."""


Resolution = Literal["second", "hour", "day"]
"""Of what a figure was computed: raw rows, or closed buckets where these are gone."""

EnabledSince = tuple[datetime, int]
"""An instant, and the enabled factors from there on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is on record of a period of a tenant: the level that held before it, and what came in it."""

    carried: Level | None
    stretch: Stretch | None
    resolution: Resolution
    demo: bool
    """Whether figures of it are made-up demo data."""


@dataclass(frozen=True, slots=True)
class LevelThen:
    """What held at an instant; `demo`: it is made-up demo data."""

    level: Level
    demo: bool


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of a subject that was erased: its pseudonym, and how many changes are kept under it."""

    pseudonym: str
    changes: int


class Store(Protocol):
    """Reads of ClickHouse, and erasure. Synchronous: the portal calls it in a thread. Methods that take `tenants` are
    of many, `open_alerts`, `closed_at`, `tenants_on_record` and `snapshot` of all, the others of one."""

    def buckets(self, tenant: str, start: datetime, end: datetime, step_s: int) -> list[Bucket]:
        """Return the buckets of [start, end), the last value before `start` carried forward into the range."""

    def sparklines(
        self, tenants: Sequence[str], start: datetime, end: datetime, points: int
    ) -> Mapping[str, list[int]]:
        """Return the highest counts of up to a page of tenants in `points` equal steps of [start, end), carried forward
        as in `buckets`; shorter where a tenant's first count lies within, and without tenants that have none. Steps are
        hours or more; those that are not whole hours take an hour whole where it begins."""

    def seats(
        self, tenant: str, *, at: datetime | None, enabled: int, factor: str, search: str | None, after: str, limit: int
    ) -> list[Seat]:
        """Return up to `limit` subjects above `after` in the order of their ids.

        `factor`: a factor's name (counted there with the mask `enabled`), `counted`, `none` (known and not counted) or
        `all`.
        """

    def profile_changes(self, tenant: str, subjects: Sequence[str], until: datetime | None) -> list[ProfileChange]:
        """Return all changes of these subjects, by subject and revision."""

    def changes(
        self, tenant: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None, limit: int,
        ruling: Sequence[int], newest_first: bool = False,
    ) -> list[ProfileChange]:  # fmt: skip
        """Return changes whose profile moved, in the order of (at, subject, rev), above `after`; with `newest_first` in
        the opposite order, below it.

        Without what settings did: the first that the rules of a revision in `ruling` or a removal did to a subject.
        """

    def tally(self, tenant: str, at: datetime) -> dict[int, int]:
        """Return the number of subjects by profile, as recorded at the instant."""

    def rule_moves(self, tenant: str, revision: int, ruling: Sequence[int]) -> list[tuple[int | None, int, int]]:
        """Return what a revision, one of `ruling`, did to subjects, summed: (old profile, new profile, subjects).

        `ruling`: all revisions of the tenant that changed its criteria, or removed it.
        """

    def facts(self, tenant: str, subject: str, at: datetime | None) -> list[FacetFacts]:
        """Return the facets of a subject as recorded at the instant (None = now)."""

    def facts_of(self, tenant: str, subjects: Sequence[str]) -> list[FacetFacts]:
        """Return the latest facts of some subjects, by subject."""

    def reclaim_signals(self, tenant: str, enabled: int) -> list[Signals]:
        """Return what tells of waste, of all subjects that are counted with the mask `enabled`, by subject."""

    def all_facts(self, tenant: str) -> Iterator[FacetFacts]:
        """Return the latest facts of every subject of the tenant, by subject."""

    def profiles(self, tenant: str) -> dict[str, int]:
        """Return the recorded profile of every subject of the tenant."""

    def tried_values(self, tenant: str) -> list[TriedValue]:
        """Return the gateways and dial-plan tags of the tenant's subjects, most subjects first."""

    def alike_subjects(self, tenant: str, keys: Sequence[int]) -> list[AlikeSubjects]:
        """Return the subjects whose gateway or tag has one of these keys, and maybe others."""

    def display_names(self, tenant: str, subjects: Sequence[str]) -> dict[str, str | None]:
        """Return the display names of these subjects, as far as they are known."""

    def settings_history(self, tenant: str) -> list[SettingsRevision]:
        """Return all revisions of a tenant (or `_provider`), oldest first."""

    def open_alerts(self) -> list[Alert]:
        """Return the newest change of every alert of all tenants that is open."""

    def alert_changes(
        self, tenant: str, start: datetime, end: datetime, state: AlertState | None,
        after: tuple[datetime, str] | None, limit: int,
    ) -> list[Alert]:  # fmt: skip
        """Return up to `limit` changes of alerts in [start, end), newest first, below `after` (at, id)."""

    def deliveries(self, tenant: str, ids: Sequence[str]) -> list[Delivery]:
        """Return what became last of the telling of these changes, by channel."""

    def settings_histories(self, tenants: Sequence[str]) -> Mapping[str, list[SettingsRevision]]:
        """Return the same of many tenants; those without are left out."""

    def closed_at(self) -> datetime:
        """Return up to where history is closed: what was counted before does not change any more."""

    def tenants_on_record(self, end: datetime) -> list[str]:
        """Return all tenants that had a count before an instant, by name."""

    def recorded(self, tenants: Sequence[str], start: datetime, end: datetime) -> Mapping[str, Recorded]:
        """Return what is on record of [start, end) of each tenant, at the finest resolution that still has all of it.
        Both are full hours, but for an `end` that is now."""

    def levels(self, tenants: Sequence[str], at: datetime) -> Mapping[str, LevelThen]:
        """Return what held just before an instant, which is a full hour; tenants without a count are left out."""

    def seat_moves(
        self, start: datetime, end: datetime, enabled: Mapping[str, Sequence[EnabledSince]]
    ) -> Mapping[str, tuple[int, int]]:
        """Return how many subjects came to be counted, and ceased to be, in [start, end), by tenant; those without are
        left out. `enabled`: the tenants, with the enabled factors over time, the first ones from the beginning."""

    def syncs(self, tenant: str, facet: str = "", source: str = "") -> list[dict[str, Any]]:
        """Return the last sync runs of a tenant, of one facet and source or of all, newest first, each in its newest
        state: fields of `SyncRun`."""

    def last_rev(self, tenant: str, subject: str) -> int:
        """Return the newest revision of a subject, 0 for one that was never heard of."""

    def erase(self, tenant: str, subject: str, until_rev: int, at: datetime) -> Erased:
        """Erase a subject up to a revision, and keep its history without facts under a pseudonym."""

    def snapshot(self, table: str) -> Iterator[list[bytes]]:
        """Yield the rows of a table of `portal.store.snapshot.TABLES` in blocks, each row a JSON object."""


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as it is kept: not its secret, of which nobody keeps more than the SHA-256."""

    id: str
    digest: str = field(repr=False)
    name: str
    role: Role
    tenants: frozenset[str]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_on: date | None = None


class Tokens(Protocol):
    """API tokens. Synchronous: the portal calls it in a thread."""

    def known(self) -> list[Token]:
        """Return all tokens that nobody has revoked, also expired ones, oldest first."""

    def add(self, token: Token) -> None:
        """Keep a new token."""

    def revoke(self, token: Token, at: datetime, by: str) -> None:
        """Make a token useless for good."""

    def used(self, token: Token, on: date) -> None:
        """Keep the day on which a token was used."""
