"""Owns the reclaim list of a tenant: seats that could be freed, and what that rests on; API, page and CSV ask alike."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from licensing.near_miss import suspicious_tags
from licensing.reclaim import FACETS_OF, REASONS, Judging, Reason, Reclaimable, reclaimable, seats_saved, why
from portal.answers.context import Context
from portal.answers.csv_lines import csv_lines
from portal.ports import FacetFacts
from schemas.settings import DEFAULT_STALE_AFTER_S
from schemas.times import format_time

OLD_DAYS = 90
"""How old a change by hand is before it is asked about, unless another age is asked for."""
CSV_COLUMNS = (
    "subject", "display_name", "user_principal_name", "factor", "reason", "saving", "stale", "observed_at",
    "explanation",
)  # fmt: skip

_PAGE = 1_000

Place = tuple[int, str]
"""Where an item stands: place of its reason, subject."""

FIRST: Place = (-1, "")
"""Before all items."""


@dataclass(frozen=True, slots=True)
class Reclaim:
    """All that may be reclaimed of a tenant at an instant, in order."""

    found: Sequence[Reclaimable]
    near_tags: Mapping[str, Sequence[str]]
    stale_facets: Sequence[str]
    """Facets whose sources have not confirmed them for too long: what rests on them may have ended since."""

    def totals(self) -> dict[str, Any]:
        """Return how much there is, whatever is asked for by reason. `seats`: each subject once."""
        reasons = Counter(each.reason for each in self.found)
        subjects = len({each.subject for each in self.found})
        return {
            "items": len(self.found),
            "subjects": subjects,
            "seats": seats_saved(self.found),
            "by_reason": {reason: reasons[reason] for reason in REASONS},
        }

    def after(self, place: Place, reason: Reason | None, limit: int) -> list[Reclaimable]:
        """Return up to `limit` items of a reason, or of all, above a place."""
        wanted = (each for each in self.found if reason is None or each.reason == reason)
        return [each for each in wanted if place_of(each) > place][:limit]


def place_of(item: Reclaimable) -> Place:
    """Return where an item stands."""
    return REASONS.index(item.reason), item.subject


def find_reclaimable(context: Context, tenant: str, older_than_days: int) -> Reclaim:
    """Find what may be reclaimed now; it asks the store, so it belongs in `read`."""
    mask, settings, now = context.mask_of(tenant), context.settings_of(tenant), context.now()
    signals = context.services.store.reclaim_signals(tenant, mask)
    near = suspicious_tags({each.tag for each in signals if each.tag}, settings)
    judging = Judging(mask, now - timedelta(days=older_than_days), near)
    return Reclaim(sorted(reclaimable(signals, judging), key=place_of), near, _stale_facets(context, tenant, now))


def describe(context: Context, tenant: str, reclaim: Reclaim, items: Sequence[Reclaimable]) -> list[dict[str, Any]]:
    """Return items as the API shows them, each with the facts that it rests on; likewise in `read`."""
    known = context.services.store.facts_of(tenant, sorted({item.subject for item in items})) if items else []
    facets = {
        subject: {facet.facet: facet for facet in found} for subject, found in groupby(known, lambda each: each.subject)
    }
    return [_item(reclaim, item, facets.get(item.subject, {})) for item in items]


async def reclaim_csv(context: Context, tenant: str, reason: Reason | None, older_than_days: int) -> AsyncIterator[str]:
    """Yield all items as CSV, a page of them at a time; the line of names comes with the first."""
    reclaim = await context.read(lambda: find_reclaimable(context, tenant, older_than_days))
    here = reclaim.after(FIRST, reason, _PAGE)
    yield csv_lines([CSV_COLUMNS, *await context.read(_rows(context, tenant, reclaim, here))])
    while len(here) == _PAGE:
        here = reclaim.after(place_of(here[-1]), reason, _PAGE)
        yield csv_lines(await context.read(_rows(context, tenant, reclaim, here)))


def _rows(
    context: Context, tenant: str, reclaim: Reclaim, items: Sequence[Reclaimable]
) -> Callable[[], list[list[Any]]]:
    def rows() -> list[list[Any]]:
        return [
            [_oldest(item) if name == "observed_at" else item[name] for name in CSV_COLUMNS]
            for item in describe(context, tenant, reclaim, items)
        ]

    return rows


def _oldest(item: dict[str, Any]) -> str | None:
    return min((facet["observed_at"] for facet in item["facts"].values()), default=None)


def _item(reclaim: Reclaim, item: Reclaimable, facets: Mapping[str, FacetFacts]) -> dict[str, Any]:
    directory = _facts(facets, "directory")
    tag = _facts(facets, "dial_plan").get("tag") or ""
    rests_on = FACETS_OF[item.reason]
    return {
        "subject": item.subject,
        "display_name": directory.get("display_name") or _facts(facets, "dial_plan").get("name"),
        "user_principal_name": directory.get("user_principal_name"),
        "factor": item.factor,
        "reason": item.reason,
        "explanation": why(item, reclaim.near_tags.get(tag, ())),
        "saving": item.saving,
        "stale": any(facet in reclaim.stale_facets for facet in rests_on),
        "facts": {
            name: {
                "observed_at": format_time(facets[name].observed_at),
                "source": facets[name].source,
                "facts": facets[name].facts,
            }
            for name in rests_on
            if name in facets
        },
    }


def _facts(facets: Mapping[str, FacetFacts], name: str) -> dict[str, Any]:
    facet = facets.get(name)
    return (facet.facts or {}) if facet else {}


def _stale_facets(context: Context, tenant: str, now: datetime) -> list[str]:
    settings, provider = context.settings_of(tenant), context.services.live.provider()
    limit = timedelta(seconds=settings.stale_after_s or provider.stale_after_s or DEFAULT_STALE_AFTER_S)
    freshness = context.count_of(tenant).freshness
    return sorted(facet for facet, at in freshness.items() if at is None or now - at > limit)
