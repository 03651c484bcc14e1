"""Owns the counter of one partition: tallies and settings in, the licence counts of its tenants out. It knows no
broker and no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from licensing.count import figures
from licensing.factors import FACTORS, enabled_mask
from schemas.changes import SnapshotEnd, Tally
from schemas.commands import SourceHints
from schemas.count import Cause, Count, Hint
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import DEFAULT_STALE_AFTER_S, ProviderSettings, TenantSettings
from schemas.times import from_ms
from streams.protocol.effects import Item, LogRecord
from streams.protocol.owned_log import JSON_CLAIM_PREFIX, refuse_newer
from streams.protocol.settings_book import SettingsBook
from streams.protocol.tally_board import TallyBoard, Total, merged_cause

PUBLISH_INTERVAL_MS = 20
"""A tenant is published at most this often, the newest value, causes summed."""


@dataclass(slots=True)
class _Tenant:
    """What the counter keeps of a tenant beside its tallies."""

    version: int = 0
    last: Count | None = None
    cause: Cause | None = None
    """Set = something is to be published."""
    waiting: Cause | None = None
    """Why the tallies under criteria moved that not every partition has followed yet: no count shows it so far."""
    published_ms: int = 0
    effective: tuple[TenantSettings, ProviderSettings] | None = None
    """The settings that the published count stands on; they lag while partitions follow a change of criteria."""
    criteria: str = ""
    """Their fingerprint."""


class CounterPartition:
    """The counts of the tenants whose tallies lie in one partition. `epoch` is that of its claim on license-counts."""

    def __init__(self, book: SettingsBook) -> None:
        self.book = book
        self.board = TallyBoard()
        self.epoch = 0
        self.held_syncs: dict[str, dict[tuple[str, str], datetime]] = {}
        """By tenant: when the newest held sync of a (facet, source) began."""
        self.source_hints: dict[str, dict[str, SourceHints]] = {}
        """By tenant and source: what its collector told last."""
        self._tenants: dict[str, _Tenant] = {}
        self._outdone: set[tuple[str, int]] = set()

    def continue_from(self, count: Count) -> None:
        """Take a count published earlier: versions continue from it, in this epoch or a higher one."""
        tenant = self._tenant(count.tenant)
        if tenant.last is None or (count.epoch, count.version) > (tenant.last.epoch, tenant.last.version):
            tenant.last, tenant.version = count, max(count.version, tenant.version)

    def _tenant(self, tenant: str) -> _Tenant:
        return self._tenants.setdefault(tenant, _Tenant())

    def apply(self, message: Tally | SnapshotEnd) -> None:
        """Take a message of the topic `tallies`."""
        if isinstance(message, SnapshotEnd):
            for tenant in self.board.end_snapshot(message):
                self.touch(tenant, Cause(kind="rebuild"))
        elif self.board.apply(message):
            kept = self._tenant(message.tenant)
            if kept.effective is None or message.criteria == kept.criteria:
                self.touch(message.tenant, message.cause)
            else:
                kept.waiting = merged_cause(kept.waiting, message.cause)
                self.touch(message.tenant, Cause(kind="heartbeat"))
        else:
            self._note_outdone(message)

    def _note_outdone(self, late: Tally) -> None:
        newest = self.board.newest(late.tenant, late.partition)
        if newest is not None and (newest.epoch, newest.seq) > (late.epoch, late.seq):
            self._outdone.add((late.tenant, late.partition))

    def take_heals(self) -> list[Item]:
        """Return the tallies to be written again: a superseded meter's, written after them, would be all that
        compaction keeps of their keys."""
        outdone, self._outdone = self._outdone, set()
        tallies = [self.board.newest(tenant, partition) for tenant, partition in sorted(outdone)]
        return [
            Item(f"{tally.tenant}/{tally.partition}".encode(), tally.model_dump_json().encode())
            for tally in tallies
            if tally is not None
        ]

    def settle_start(self) -> None:
        """After the tallies topic was read to its end: publish only what differs from the count published last."""
        for name, tenant in self._tenants.items():
            if tenant.cause is None or tenant.last is None:
                continue
            rules = self.book.rules_of(name)
            total = self.board.total(name, rules.fingerprint)
            profiles = {} if total is None else {str(profile): subjects for profile, subjects in total.profiles.items()}
            same = profiles == tenant.last.profiles and rules.revision == tenant.last.settings_revision
            # A stop between a command and its count: the hint it brought is in none.
            same &= self._hints(name, rules.settings) == tenant.last.hints
            same &= [bool(rules.enabled & factor.bit) for factor in FACTORS] == [f.enabled for f in tenant.last.factors]
            tenant.cause = None if same else Cause(kind="rebuild")
            if same:
                tenant.effective, tenant.criteria = (rules.settings, self.book.provider), rules.fingerprint

    def touch(self, tenant: str, cause: Cause) -> None:
        """Note that a tenant must be published, and why."""
        kept = self._tenant(tenant)
        kept.cause = merged_cause(kept.cause, cause)

    def settings_changed(self, tenant: str) -> None:
        """Take note that the book has new settings of a tenant, or (`_provider`) of the provider."""
        if tenant == PROVIDER_KEY:
            for name in self._tenants:
                self.touch(name, Cause(kind="rules"))
        elif self.book.get(tenant) is None:
            self.forget(tenant)
        else:
            self.touch(tenant, self._settings_cause(tenant))

    def _settings_cause(self, tenant: str) -> Cause:
        last = self._tenant(tenant).last
        settings = self.book.rules_of(tenant).settings
        if last is not None and last.acquired_licenses != settings.acquired_licenses:
            return Cause(kind="pool")
        return Cause(kind="rules")

    def is_empty(self, tenant: str) -> bool:
        """Tell whether every partition has dropped the subjects of a removed tenant."""
        rules = self.book.rules_of(tenant)
        total = self.board.total(tenant, rules.fingerprint)
        followed = self.board.revision(tenant)
        return (
            rules.removed
            and total is not None
            and not total.profiles
            and (followed is None or followed >= rules.revision)
        )

    def last(self, tenant: str) -> Count | None:
        """Return the count of a tenant published last."""
        kept = self._tenants.get(tenant)
        return kept.last if kept is not None else None

    def lasts(self) -> list[Count]:
        """Return the count of each tenant published last. Other threads may ask."""
        return [kept.last for kept in list(self._tenants.values()) if kept.last is not None]

    @property
    def held(self) -> int:
        """How many syncs are held."""
        return sum(len(held) for held in list(self.held_syncs.values()))

    def forget(self, tenant: str) -> None:
        """Forget a purged tenant, but for its version, which never restarts."""
        known = self._tenants.pop(tenant, None)
        if known is not None:
            self._tenants[tenant] = _Tenant(version=known.version)
        self.held_syncs.pop(tenant, None)
        self.source_hints.pop(tenant, None)
        self.board.forget(tenant)

    def due(self, now_ms: int) -> list[str]:
        """Return the tenants to be published now."""
        return [
            name
            for name, tenant in self._tenants.items()
            if tenant.cause is not None and now_ms - tenant.published_ms >= PUBLISH_INTERVAL_MS
        ]

    def wait_ms(self, now_ms: int) -> int | None:
        """Return how long until the next tenant is due; None where nothing waits."""
        waits = [t.published_ms + PUBLISH_INTERVAL_MS - now_ms for t in self._tenants.values() if t.cause is not None]
        return max(0, min(waits)) if waits else None

    def find_stale(self, now_ms: int) -> None:
        """Touch the tenants whose `stale` flag differs from what it should be by now."""
        for name, tenant in self._tenants.items():
            if tenant.last is not None and tenant.cause is None:
                stale = _is_stale(tenant.last.freshness, *self._settings(name), now_ms)
                if stale != tenant.last.stale:
                    self.touch(name, Cause(kind="heartbeat"))

    def _settings(self, tenant: str) -> tuple[TenantSettings, ProviderSettings]:
        return self.book.rules_of(tenant).settings, self.book.provider

    def take(self, tenant: str, now_ms: int) -> Count | None:
        """Return the count to publish for a due tenant; None while its partitions follow a change of criteria and no
        total is whole."""
        kept = self._tenant(tenant)
        rules = self.book.rules_of(tenant)
        total = self.board.total(tenant, rules.fingerprint)
        cause, kept.cause = kept.cause or Cause(kind="heartbeat"), None
        followed = total is not None
        if followed:
            kept.effective, kept.criteria = (rules.settings, self.book.provider), rules.fingerprint
            self.board.settle(tenant, rules.fingerprint)
            cause, kept.waiting = cause if kept.waiting is None else merged_cause(kept.waiting, cause), None
        elif kept.effective is not None:
            total = self.board.total(tenant, kept.criteria)
        if total is None or kept.effective is None:
            kept.waiting = merged_cause(kept.waiting, cause)
            return None
        if not total.profiles and self.book.get(tenant) is None:  # purged, or never there: no settings, no subjects
            return None
        count = self._count(tenant, kept, total, cause, now_ms)
        if not followed and kept.last is not None and _says_the_same(count, kept.last):
            kept.waiting = merged_cause(kept.waiting, cause)
            return None
        kept.version, kept.published_ms, kept.last = count.version, now_ms, count
        return count

    def _count(self, tenant: str, kept: _Tenant, total: Total, cause: Cause, now_ms: int) -> Count:
        assert kept.effective is not None
        settings, provider = kept.effective
        counted = figures(total.profiles, enabled_mask(settings, provider), settings.acquired_licenses)
        return Count(
            tenant=tenant,
            epoch=self.epoch,
            version=kept.version + 1,
            settings_revision=settings.revision,
            as_of=total.as_of,
            computed_at=from_ms(now_ms),
            stale=_is_stale(total.freshness, settings, provider, now_ms),
            acquired_licenses=counted.acquired_licenses,
            currently_licensed=counted.currently_licensed,
            available_licenses=counted.available_licenses,
            usage_percent=counted.usage_percent,
            user_licenses=counted.user_licenses,
            dr_phone_licenses=counted.dr_phone_licenses,
            factors=counted.factors,
            cause=cause,
            freshness=total.freshness,
            hints=self._hints(tenant, settings),
            profiles={str(profile): subjects for profile, subjects in sorted(total.profiles.items())},
        )

    def _hints(self, tenant: str, settings: TenantSettings) -> list[Hint]:
        hints: list[Hint] = []
        if not settings.gateways and not settings.criteria.licensed_users_by_gateway:
            hints.append("no_gateways")
        if settings.acquired_licenses is None:
            hints.append("no_pool")
        if self.held_syncs.get(tenant):
            hints.append("sync_held")
        return hints + sorted({hint for told in self.source_hints.get(tenant, {}).values() for hint in told.hints})


def _says_the_same(count: Count, last: Count) -> bool:
    return (count.profiles, count.freshness, count.stale) == (last.profiles, last.freshness, last.stale)


def _is_stale(
    freshness: Mapping[str, datetime | None], settings: TenantSettings, provider: ProviderSettings, now_ms: int
) -> bool:
    limit = timedelta(seconds=settings.stale_after_s or provider.stale_after_s or DEFAULT_STALE_AFTER_S)
    return any(confirmed is None or from_ms(now_ms) - confirmed > limit for confirmed in freshness.values())


class CountRecovery:
    """Reads license-counts from its beginning: the highest (epoch, version) of a tenant counts, wherever it stands
    in the log."""

    def __init__(self, counter: CounterPartition) -> None:
        self._counter = counter
        self.position = 0
        self.strays: set[bytes] = set()
        self.unreadable: list[int] = []
        """Offsets of records that are no counts: passed over, for the counts can be made again."""
        self.highest_epoch = 0  # that of a made-up past; every counter's own is higher

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Apply records in the order of their offsets."""
        for record in records:
            self.position = record.offset + 1
            if record.key.startswith(JSON_CLAIM_PREFIX):
                refuse_newer(record)
            if record.key.startswith(b"_") or record.value is None:
                continue
            try:
                count = Count.model_validate_json(record.value)
            except ValidationError:
                self.unreadable.append(record.offset)
                continue
            self.highest_epoch = max(self.highest_epoch, count.epoch)
            last = self._counter.last(count.tenant)
            if last is not None and (count.epoch, count.version) < (last.epoch, last.version):
                self.strays.add(record.key)
            else:
                self.strays.discard(record.key)
                self._counter.continue_from(count)
