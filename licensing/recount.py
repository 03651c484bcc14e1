"""Owns the recount: the licence count from nothing but observations, the plain way.

Property tests, audit and chaos compare with it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from licensing.criteria import compile_criteria
from licensing.rules import FactsByFacet, profile_from_facts
from schemas.settings import TenantSettings
from schemas.times import FIRST_MS, to_ms


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation of a facet; `facts` None is a clear."""

    subject: str
    facet: str
    observed_at: datetime
    source: str
    facts: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Synced:
    """One completed sync of a source of a facet."""

    facet: str
    source: str
    started_at: datetime


def latest_facts(
    observations: Iterable[Observed], syncs: Iterable[Synced]
) -> dict[str, dict[str, dict[str, Any] | None]]:
    """Return the facts by subject and facet of one tenant: newest wins, then the syncs outdate (LICENSE-FACTORS §5)."""
    newest: dict[tuple[str, str], Observed] = {}
    for observed in observations:
        key = (observed.subject, observed.facet)
        if key not in newest or _rank(observed) > _rank(newest[key]):
            newest[key] = observed
    started: dict[tuple[str, str], int] = {}
    for sync in syncs:
        key = (sync.facet, sync.source)
        started[key] = max(started.get(key, FIRST_MS), to_ms(sync.started_at))
    result: dict[str, dict[str, dict[str, Any] | None]] = {}
    for (subject, facet), observed in newest.items():
        outdated = to_ms(observed.observed_at) < started.get((facet, observed.source), FIRST_MS)
        facts = None if outdated or observed.facts is None else dict(observed.facts)
        result.setdefault(subject, {})[facet] = facts
    return result


def _rank(observed: Observed) -> tuple[int, bool, bytes, str]:
    facts = observed.facts
    known = None if facts is None else {name: value for name, value in facts.items() if value is not None}
    digest = b"" if known is None else hashlib.sha256(msgspec.json.encode(known, order="sorted")).digest()
    return to_ms(observed.observed_at), known is not None, digest, observed.source


def recount(facts_by_subject: Mapping[str, FactsByFacet], settings: TenantSettings) -> dict[str, int]:
    """Return the profile of every subject of a tenant, by the rules in words."""
    criteria = compile_criteria(settings)
    return {subject: profile_from_facts(subject, facts, criteria) for subject, facts in facts_by_subject.items()}


def tally_of(profiles: Mapping[str, int]) -> dict[int, int]:
    """Return the number of subjects by profile."""
    return dict(Counter(profiles.values()))
