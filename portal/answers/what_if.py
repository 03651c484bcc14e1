"""Owns the what-if: the count as it would be under other settings beside the one that is, and who makes the difference.

Factors, service type and pool act on the live count's tally. Criteria and gateways decide by a user's gateway and a
number's tag alone: the store is asked for the distinct ones, and for facts of those only that are judged otherwise.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from pydantic import BaseModel

from licensing.count import Figures, figures
from licensing.criteria import CompiledCriteria, Matcher, compile_criteria
from licensing.factors import BY_NAME, enabled_mask
from licensing.timeline import Kind
from licensing.what_if import Difference, Shift, decided_bits, judges_alike, rejudged
from portal.ports import Store, TriedValue
from schemas.count import Cause, Count, FactorName, Hint
from schemas.settings import ProviderSettings, TenantSettings

MAX_LISTED = 1_000
MAX_HITS = 200


class Mover(BaseModel):
    """A subject that would be counted elsewhere: an item as of the changes, which has not happened yet (`at` null).

    `cause`: `rules` where criteria or gateways would move it, else `settings`."""

    at: None = None
    subject: str
    display_name: str | None
    from_factor: FactorName | None
    to_factor: FactorName | None
    kind: Kind
    cause: str
    facet: None = None
    source: None = None


class Hit(BaseModel):
    """A gateway or tag that a criterion was tried against: whether it hits, None where there is no such criterion."""

    value: str
    subjects: int
    now: bool | None
    then: bool | None


class CriteriaHits(BaseModel):
    """What each criterion hits, at most 200 values each, most subjects first."""

    licensed_users_by_gateway: list[Hit]
    dr_numbers: list[Hit]
    reject_service_numbers: list[Hit]


class WhatIf(BaseModel):
    """The count now and then, and who makes the difference: at most 1,000 subjects of a kind, `totals` of all."""

    now: Count
    then: Count
    gained: list[Mover]
    lost: list[Mover]
    moved: list[Mover]
    totals: dict[Kind, int]
    criteria_hits: CriteriaHits


def what_if(
    store: Store, live: Count, now: TenantSettings, then: TenantSettings, provider: ProviderSettings, at: datetime
) -> WhatIf:
    """Return what other settings would do to a live count. A pattern of either raises PatternError."""
    old, new = compile_criteria(now), compile_criteria(then)
    values = store.tried_values(live.tenant)
    keys = sorted({each.key for each in values if not judges_alike(each.facet, each.value, old, new)})
    mask = enabled_mask(then, provider)
    # The live count's own, so that the difference is from what is shown.
    shown = sum(BY_NAME[row.factor].bit for row in live.factors if row.enabled)
    profiles = store.profiles(live.tenant) if keys or mask != shown else {}
    difference = Difference(shown, mask, _changed(store, live.tenant, keys, profiles, new))
    tally = {int(profile): number for profile, number in live.profiles.items()}
    totals = difference.totals(tally)
    listed = _listed(difference.shifts(sorted(profiles.items())))
    names = store.display_names(live.tenant, [shift.subject for shift in listed])
    movers = [_mover(shift, names) for shift in listed]
    return WhatIf(
        now=live,
        then=_count(live, difference.tally(tally), mask, then, totals, at),
        gained=[mover for mover in movers if mover.kind == "gained"],
        lost=[mover for mover in movers if mover.kind == "lost"],
        moved=[mover for mover in movers if mover.kind == "moved"],
        totals=totals,
        criteria_hits=_hits(values, old, new),
    )


def _changed(
    store: Store, tenant: str, keys: Sequence[int], profiles: dict[str, int], criteria: CompiledCriteria
) -> dict[str, tuple[int, int]]:
    changed: dict[str, tuple[int, int]] = {}
    for alike in store.alike_subjects(tenant, keys) if keys else []:
        bits = decided_bits(alike.subjects[0], alike.facts, criteria)
        for subject in alike.subjects:
            # A subject whose profile is not recorded yet is in no figure either.
            profile = profiles.get(subject)
            if profile is not None and (other := rejudged(profile, bits)) != profile:
                changed[subject] = (profile, other)
    return changed


def _listed(shifts: Iterable[Shift]) -> list[Shift]:
    by_kind: dict[Kind, list[Shift]] = {"gained": [], "lost": [], "moved": []}
    for shift in shifts:
        of_kind = by_kind[shift.kind]
        if len(of_kind) < MAX_LISTED:
            of_kind.append(shift)
    return [*by_kind["gained"], *by_kind["lost"], *by_kind["moved"]]


def _mover(shift: Shift, names: dict[str, str | None]) -> Mover:
    return Mover(
        subject=shift.subject,
        display_name=names.get(shift.subject),
        from_factor=shift.from_factor,
        to_factor=shift.to_factor,
        kind=shift.kind,
        cause="rules" if shift.by_criteria else "settings",
    )


def _count(
    live: Count, tally: dict[int, int], mask: int, then: TenantSettings, totals: dict[Kind, int], at: datetime
) -> Count:
    counted = figures(tally, mask, then.acquired_licenses)
    # In the order in which the counter gives them.
    hints: list[Hint] = ["no_gateways"] if compile_criteria(then).no_gateways else []
    hints += ["no_pool"] if then.acquired_licenses is None else []
    hints += [hint for hint in live.hints if hint not in ("no_gateways", "no_pool")]
    return live.model_copy(
        update={
            "computed_at": at,
            "acquired_licenses": counted.acquired_licenses,
            "currently_licensed": counted.currently_licensed,
            "available_licenses": counted.available_licenses,
            "usage_percent": counted.usage_percent,
            "user_licenses": counted.user_licenses,
            "dr_phone_licenses": counted.dr_phone_licenses,
            "factors": counted.factors,
            "cause": _cause(live, counted, totals),
            "hints": hints,
            "profiles": {str(profile): number for profile, number in sorted(tally.items())},
        }
    )


def _cause(live: Count, counted: Figures, totals: dict[Kind, int]) -> Cause:
    if counted.factors != live.factors:
        return Cause(kind="rules", subjects_gained=totals["gained"], subjects_lost=totals["lost"])
    return live.cause if counted.acquired_licenses == live.acquired_licenses else Cause(kind="pool")


def _hits(values: Sequence[TriedValue], old: CompiledCriteria, new: CompiledCriteria) -> CriteriaHits:
    gateways = list(islice((each for each in values if each.facet == "voice"), MAX_HITS))
    tags = list(islice((each for each in values if each.facet == "dial_plan"), MAX_HITS))
    return CriteriaHits(
        licensed_users_by_gateway=_tried(gateways, old.gateway, new.gateway),
        dr_numbers=_tried(tags, old.dr_numbers, new.dr_numbers),
        reject_service_numbers=_tried(tags, old.reject, new.reject),
    )


def _tried(values: Sequence[TriedValue], old: Matcher | None, new: Matcher | None) -> list[Hit]:
    return [
        Hit(value=each.value, subjects=each.subjects, now=_hit(old, each.value), then=_hit(new, each.value))
        for each in values
    ]


def _hit(matcher: Matcher | None, value: str) -> bool | None:
    return None if matcher is None else matcher(value)
