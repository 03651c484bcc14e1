"""Owns the audit: a recount from the facts in ClickHouse beside what was recorded and what is shown now."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from licensing.count import Figures, figures
from licensing.criteria import compile_criteria
from licensing.factors import SERVICE_NUMBER, counted_name
from licensing.recount import tally_of
from licensing.rules import FactsByFacet, profile_from_facts
from portal.ports import FacetFacts, Store
from schemas.count import Count
from schemas.settings import TenantSettings
from schemas.times import format_time

MAX_LISTED = 1_000


def audit(store: Store, settings: TenantSettings, mask: int, live: Count, now: datetime) -> dict[str, Any]:
    """Recount a tenant and return what differs: subjects whose recorded profile is another, figures that are others."""
    criteria = compile_criteria(settings)
    recounted: dict[str, int] = {}
    numbers_of_users: set[str] = set()
    for subject, facts in _by_subject(store.all_facts(settings.tenant)):
        recounted[subject] = profile_from_facts(subject, facts, criteria)
        number = (facts.get("phone_number") or {}).get("number")
        if number and subject.startswith("user:"):
            numbers_of_users.add(f"number:{number.removeprefix('tel:')}")
    recorded = store.profiles(settings.tenant)
    differing = [subject for subject in sorted(recounted.keys() | recorded.keys())
                 if recounted.get(subject, 0) != recorded.get(subject, 0)]  # fmt: skip
    then = figures(tally_of(recounted), mask, settings.acquired_licenses)
    held = [subject for subject in sorted(numbers_of_users & recounted.keys()) if recounted[subject] & SERVICE_NUMBER]
    figures_differ = _shown(then) != _shown(live)
    return {
        "tenant": settings.tenant,
        "audited_at": format_time(now),
        "settings_revision": settings.revision,
        "agrees": not differing and not figures_differ,
        "subjects": len(recounted),
        "recount": _shown(then),
        "live": _shown(live),
        "differences_total": len(differing),
        "differences": [_difference(item, recounted, recorded, mask) for item in differing[:MAX_LISTED]],
        "numbers_held_by_users": held[:MAX_LISTED],
    }


def _by_subject(facts: Iterator[FacetFacts]) -> Iterator[tuple[str, FactsByFacet]]:
    for subject, facets in groupby(facts, key=lambda facet: facet.subject):
        yield subject, {facet.facet: facet.facts for facet in facets}


def _difference(subject: str, recounted: dict[str, int], recorded: dict[str, int], mask: int) -> dict[str, Any]:
    return {
        "subject": subject,
        "recorded_factor": counted_name(recorded.get(subject, 0), mask),
        "recount_factor": counted_name(recounted.get(subject, 0), mask),
        "recorded_profile": recorded.get(subject),
        "recount_profile": recounted.get(subject),
    }


def _shown(counted: Figures | Count) -> dict[str, Any]:
    return {
        "currently_licensed": counted.currently_licensed,
        "user_licenses": counted.user_licenses,
        "dr_phone_licenses": counted.dr_phone_licenses,
        "factors": {row.factor: {"counted": row.counted, "matched": row.matched} for row in counted.factors},
    }
