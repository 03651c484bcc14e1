"""Owns the list of changes of a tenant: subjects that moved between factors, and settings that moved many at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from licensing.criteria import fingerprint
from licensing.factors import counted_name
from licensing.timeline import kind_of
from portal.answers.masks import Epoch, MaskHistory
from portal.ports import ProfileChange, Store
from schemas.count import FactorName
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import TenantSettings
from schemas.times import format_time

_SLICE = 1_000

_Factors = tuple[FactorName | None, FactorName | None]
"""Where a subject was counted, and where it is (None = not counted)."""

Place = tuple[datetime, str, int]
"""Where an item stands: instant, subject, revision. Settings stand before all subjects of their instant."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list."""

    place: Place
    shown: dict[str, Any]


def every_change(_: Item) -> bool:
    """Want any item."""
    return True


def list_changes(
    store: Store, tenant: str, masks: MaskHistory, start: datetime, end: datetime, after: Place | None, limit: int, *,
    newest_first: bool = False, wanted: Callable[[Item], bool] = every_change,
) -> list[Item]:  # fmt: skip
    """Return up to `limit` wanted items of [start, end) after a place, oldest or newest first.

    What new settings did to single subjects is in the item of the settings change alone, as a number. What a newer
    version of the program did to them is listed, with the cause `rules`.
    """
    ruling = _ruling(masks, tenant)
    changes = _profile_changes(store, tenant, start, end, after, ruling, newest_first)
    epochs = [epoch for epoch in masks.epochs if start <= epoch.at < end and _follows(epoch, after, newest_first)]
    settings = _settings_items(store, tenant, masks, epochs[::-1] if newest_first else epochs, ruling)
    items = merge(_subject_items(changes, masks), settings, key=lambda item: item.place, reverse=newest_first)
    return list(islice(filter(wanted, items), limit))


def _follows(epoch: Epoch, after: Place | None, newest_first: bool) -> bool:
    return after is None or (_place(epoch) < after if newest_first else _place(epoch) > after)


def _ruling(masks: MaskHistory, tenant: str) -> list[int]:
    """Return the tenant's revisions that changed its criteria, or removed it."""
    before, found = TenantSettings(tenant=tenant), []
    for epoch in masks.epochs:
        if epoch.scope == "tenant":
            if epoch.settings.is_removed or fingerprint(epoch.settings) != fingerprint(before):
                found.append(epoch.revision.revision)
            before = epoch.settings
    return found


def _profile_changes(
    store: Store, tenant: str, start: datetime, end: datetime, after: Place | None, ruling: Sequence[int],
    newest_first: bool,
) -> Iterator[ProfileChange]:  # fmt: skip
    while True:
        found = store.changes(tenant, start, end, after, _SLICE, ruling, newest_first)
        yield from found
        if len(found) < _SLICE:
            return
        after = (found[-1].at, found[-1].subject, found[-1].rev)


def _subject_items(changes: Iterable[ProfileChange], masks: MaskHistory) -> Iterator[Item]:
    for change in changes:
        mask = masks.at(change.at)[1]
        before, after = counted_name(change.old_profile, mask), counted_name(change.new_profile, mask)
        if before != after:
            shown = {
                "at": format_time(change.at),
                "subject": change.subject,
                "from_factor": before,
                "to_factor": after,
                "kind": kind_of(before, after),
                "cause": change.kind,
                "facet": change.facet or None,
                "source": change.source or None,
            }
            yield Item((change.at, change.subject, change.rev), shown)


def _settings_items(
    store: Store, tenant: str, masks: MaskHistory, epochs: list[Epoch], ruling: Sequence[int]
) -> Iterator[Item]:
    for epoch in epochs:
        number = masks.epochs.index(epoch)
        before = masks.epochs[number - 1].mask if number else masks.default_mask
        if epoch.scope == "provider" and epoch.mask == before:
            continue
        moved: dict[_Factors, int] = {}
        if epoch.mask != before:
            for profile, subjects in store.tally(tenant, epoch.at).items():
                _add(moved, counted_name(profile, before), counted_name(profile, epoch.mask), subjects)
        if epoch.scope == "tenant" and epoch.revision.revision in ruling:
            for old, new, subjects in store.rule_moves(tenant, epoch.revision.revision, ruling):
                _add(moved, counted_name(old, epoch.mask), counted_name(new, epoch.mask), subjects)
        yield Item(_place(epoch), _settings_shown(epoch, moved))


def _settings_shown(epoch: Epoch, moved: dict[_Factors, int]) -> dict[str, Any]:
    by_factor: dict[str, int] = {}
    totals = {"gained": 0, "lost": 0, "moved": 0}
    for (before, after), subjects in moved.items():
        totals[kind_of(before, after)] += subjects
        if before:
            by_factor[before] = by_factor.get(before, 0) - subjects
        if after:
            by_factor[after] = by_factor.get(after, 0) + subjects
    return {
        "at": format_time(epoch.at),
        "subject": None,
        "from_factor": None,
        "to_factor": None,
        "kind": "settings",
        "cause": f"{epoch.scope}_settings",
        "facet": None,
        "source": epoch.revision.by,
        "revision": epoch.revision.revision,
        "subjects": sum(totals.values()),
        "totals": totals,
        "factors": by_factor,
    }


def _place(epoch: Epoch) -> Place:
    return epoch.at, "" if epoch.scope == "tenant" else PROVIDER_KEY, epoch.revision.revision


def _add(moved: dict[_Factors, int], before: FactorName | None, after: FactorName | None, subjects: int) -> None:
    if before != after:
        moved[before, after] = moved.get((before, after), 0) + subjects
