"""Owns what the state machine has sent in, and what must come of it: the pure recount of it all."""

from dataclasses import dataclass, field
from datetime import datetime

from licensing.recount import Observed, Synced, latest_facts, recount, tally_of
from schemas.identifiers import partition_of, subject_key
from schemas.settings import TenantSettings
from schemas.times import to_ms
from tests.property.protocol.world import PARTITIONS

Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(slots=True)
class Sent:
    """All that was sent in, by tenant."""

    observations: dict[str, list[Observed]] = field(default_factory=dict)
    syncs: dict[str, list[Synced]] = field(default_factory=dict)
    confirmed: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """By tenant, facet and source, in ms since 1970: the newest sync or confirmation."""
    bad: dict[Place, set[tuple[int, str]]] = field(default_factory=dict)
    """Place in the array and reason of each event that must become a dead letter."""
    settings: dict[str, TenantSettings] = field(default_factory=dict)
    revisions: dict[tuple[str, int], TenantSettings] = field(default_factory=dict)
    ever_removed: set[str] = field(default_factory=set)
    rules_changed: set[str] = field(default_factory=set)

    def observe(self, tenant: str, observed: Observed) -> None:
        """Note an observation."""
        self.observations.setdefault(tenant, []).append(observed)

    def sync(self, tenant: str, synced: Synced) -> None:
        """Note a completed sync."""
        self.syncs.setdefault(tenant, []).append(synced)
        self.confirm(tenant, synced.facet, synced.source, synced.started_at)

    def confirm(self, tenant: str, facet: str, source: str, at: datetime) -> None:
        """Note that a source was asked."""
        key = (tenant, facet, source)
        self.confirmed[key] = max(self.confirmed.get(key, 0), to_ms(at))

    def revise(self, settings: TenantSettings) -> None:
        """Note a revision of a tenant's settings."""
        self.settings[settings.tenant] = settings
        self.revisions[settings.tenant, settings.revision] = settings
        self.rules_changed.add(settings.tenant)
        if settings.is_removed:
            self.ever_removed.add(settings.tenant)

    def removed(self, tenant: str) -> bool:
        """Tell whether a tenant is removed and not set again."""
        return tenant in self.settings and self.settings[tenant].is_removed

    def of(self, tenant: str) -> TenantSettings:
        """Return a tenant's settings; one without counts under defaults."""
        return self.settings.get(tenant) or TenantSettings(tenant=tenant)

    def tenants(self) -> set[str]:
        """Return all tenants that anything was sent of."""
        known = {tenant for tenant, _, _ in self.confirmed}
        return known | set(self.observations) | set(self.syncs) | set(self.settings)

    def profiles(self, tenant: str) -> dict[str, int]:
        """Return the profile of every subject of a tenant."""
        settings = self.of(tenant)
        if self.removed(tenant):
            return {}
        floor = settings.removed_at
        counted = [o for o in self.observations.get(tenant, []) if floor is None or o.observed_at > floor]
        return recount(latest_facts(counted, self.syncs.get(tenant, [])), settings)

    def tally(self, tenant: str) -> dict[int, int]:
        """Return the number of subjects by profile."""
        return tally_of(self.profiles(tenant))

    def subjects(self) -> set[tuple[str, str]]:
        """Return tenant and subject of everything that was observed."""
        return {(tenant, observed.subject) for tenant, seen in self.observations.items() for observed in seen}

    def newest_ms(self, tenant: str, partition: int) -> dict[tuple[str, str], int]:
        """Return the newest observation of each facet and source in a partition, in ms since 1970."""
        newest: dict[tuple[str, str], int] = {}
        for observed in self.observations.get(tenant, []):
            if partition_of(subject_key(tenant, observed.subject), PARTITIONS) == partition:
                key = (observed.facet, observed.source)
                newest[key] = max(newest.get(key, 0), to_ms(observed.observed_at))
        return newest
