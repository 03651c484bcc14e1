"""Owns the merge of tallies into a tenant's total: which tally of a partition counts, and when a total is whole
(DESIGN §4)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from schemas.changes import SnapshotEnd, Tally
from schemas.count import Cause

Freshness = dict[str, datetime | None]


@dataclass(slots=True)
class Total:
    """A tenant's tallies summed over all partitions that know it."""

    profiles: dict[int, int] = field(default_factory=dict)
    freshness: Freshness = field(default_factory=dict)
    as_of: datetime | None = None


class TallyBoard:
    """The newest tally of each tenant and source partition, by the criteria it was computed with.

    While partitions follow a change of criteria one after the other, the tallies under the old criteria are kept
    beside the new, so that the
    count stands still rather than show a half-way value.
    """

    def __init__(self) -> None:
        self._tallies: dict[str, dict[int, dict[str, Tally]]] = {}
        self._ended: dict[int, int] = {}

    def apply(self, tally: Tally) -> bool:
        """Take a tally; return whether it is news: of a partition's tallies the highest (epoch, seq) wins."""
        if tally.epoch < self._ended.get(tally.partition, -1):
            return False
        kept = self._tallies.setdefault(tally.tenant, {}).setdefault(tally.partition, {})
        if any(_age(other) >= _age(tally) for other in kept.values()):
            return False
        kept[tally.criteria] = tally
        return True

    def newest(self, tenant: str, partition: int) -> Tally | None:
        """Return the newest tally of a tenant and partition, under whichever criteria."""
        kept = self._tallies.get(tenant, {}).get(partition, {})
        return max(kept.values(), key=_age, default=None)

    def revision(self, tenant: str) -> int | None:
        """Return the oldest revision of the settings that any partition which knows the tenant has followed; None
        where none knows it."""
        known = [self.newest(tenant, partition) for partition in self._tallies.get(tenant, {})]
        return min((tally.settings_revision for tally in known if tally is not None), default=None)

    def end_snapshot(self, end: SnapshotEnd) -> list[str]:
        """Drop what a partition published in lower epochs: tenants that have vanished there. Return the tenants
        concerned."""
        self._ended[end.partition] = max(end.epoch, self._ended.get(end.partition, -1))
        concerned = []
        for tenant, by_partition in list(self._tallies.items()):
            kept = by_partition.get(end.partition)
            if kept is None or max(tally.epoch for tally in kept.values()) >= end.epoch:
                continue
            del by_partition[end.partition]
            concerned.append(tenant)
            if not by_partition:
                del self._tallies[tenant]
        return concerned

    def tenants(self) -> Iterable[str]:
        """Return the tenants that any partition knows."""
        return self._tallies.keys()

    def total(self, tenant: str, criteria: str) -> Total | None:
        """Return the tenant's total under these criteria, or None while a partition that knows the tenant has not
        followed."""
        by_partition = self._tallies.get(tenant, {})
        tallies = [kept.get(criteria) for kept in by_partition.values()]
        whole = [tally for tally in tallies if tally is not None]
        return _sum(whole) if len(whole) == len(tallies) else None

    def settle(self, tenant: str, criteria: str) -> None:
        """Forget the tallies under other criteria, once these are in force; but not the newer ones, whose settings
        this counter has not read yet."""
        for kept in self._tallies.get(tenant, {}).values():
            reached = _age(kept[criteria])
            for other in [name for name, tally in kept.items() if _age(tally) < reached]:
                del kept[other]

    def forget(self, tenant: str) -> None:
        """Forget a purged tenant."""
        self._tallies.pop(tenant, None)


def _age(tally: Tally) -> tuple[int, int]:
    return tally.epoch, tally.seq


def _sum(tallies: list[Tally]) -> Total:
    total = Total()
    for tally in tallies:
        for profile, subjects in tally.profiles.items():
            total.profiles[int(profile)] = total.profiles.get(int(profile), 0) + subjects
        if tally.as_of is not None and (total.as_of is None or tally.as_of > total.as_of):
            total.as_of = tally.as_of
    for facet in sorted({facet for tally in tallies for facet in tally.freshness}):
        total.freshness[facet] = _freshness([tally.freshness.get(facet, {}) for tally in tallies])
    return total


def _freshness(by_partition: list[dict[str, tuple[datetime | None, datetime | None]]]) -> datetime | None:
    """Return the oldest of the sources. A source is as fresh as its least confirmed partition; not known (None)
    while its first sync
    is on its way through the partitions; events alone where it was never confirmed anywhere."""
    oldest: list[datetime] = []
    for source in {source for marks in by_partition for source in marks}:
        confirmed = [marks[source][0] if source in marks else None for marks in by_partition]
        known = [instant for instant in confirmed if instant is not None]
        if not known:
            newest = [marks[source][1] for marks in by_partition if source in marks]
            observed = [instant for instant in newest if instant is not None]
            if observed:
                oldest.append(max(observed))
        elif len(known) < len(confirmed):
            return None
        else:
            oldest.append(min(known))
    return min(oldest, default=None)


def merged_cause(first: Cause | None, second: Cause) -> Cause:
    """Sum two causes; rules, pool and the like outweigh users, for they explain more."""
    if first is None:
        return second
    kind = (
        second.kind
        if second.kind not in ("users", "heartbeat")
        else first.kind
        if first.kind != "heartbeat"
        else second.kind
    )
    return Cause(
        kind=kind,
        subjects_gained=first.subjects_gained + second.subjects_gained,
        subjects_lost=first.subjects_lost + second.subjects_lost,
        example=second.example or first.example,
    )
