"""A what-if is a recount under the changed settings, for any facts, settings and changes, and reads only the facts that
matter."""

from typing import Any

import hypothesis
from hypothesis import example, given
from hypothesis import strategies as st

from licensing.criteria import compile_criteria
from licensing.factors import counted_factor, enabled_mask
from licensing.recount import recount, tally_of
from licensing.what_if import (
    DECIDED,
    DECIDING_FACTS,
    TRIED_FACT,
    Difference,
    decided_bits,
    judges_alike,
    rejudged,
)
from schemas.settings import TenantSettings
from tests.property.tenants import NUMBER_FACTS, SETTINGS, SUBJECTS, TAGS, USER_FACTS

Facts = dict[str, dict[str, Any] | None]


def cut(facts: Facts) -> Facts:
    """What the store reads of facts."""
    return {
        facet: None if known is None else {name: known[name] for name in DECIDING_FACTS[facet] if name in known}
        for facet, known in facts.items()
        if facet in DECIDING_FACTS
    }


def changed(subjects: dict[str, Facts], one: TenantSettings, other: TenantSettings) -> dict[str, tuple[int, int]]:
    """The new profiles of those whose gateway or tag is judged otherwise."""
    old, new = compile_criteria(one), compile_criteria(other)
    profiles, found = recount(subjects, one), {}
    for subject, facts in subjects.items():
        values = [(facet, (facts.get(facet) or {}).get(fact)) for facet, fact in TRIED_FACT.items()]
        if any(value and not judges_alike(facet, value, old, new) for facet, value in values):
            found[subject] = (profiles[subject], rejudged(profiles[subject], decided_bits(subject, cut(facts), new)))
    return found


def expected_places(subjects: dict[str, Facts], settings: TenantSettings) -> dict[str, str | None]:
    mask = enabled_mask(settings)
    places: dict[str, str | None] = {}
    for subject, profile in recount(subjects, settings).items():
        factor = counted_factor(profile, mask)
        places[subject] = factor.name if factor else None
    return places


RELATED = st.tuples(SETTINGS, SETTINGS) | SETTINGS.flatmap(
    lambda one: SETTINGS.map(lambda other: (one, other.model_copy(update={"gateways": one.gateways})))
)
"""Settings and others, often with one thing in common."""


@given(SUBJECTS, RELATED)
def test_a_what_if_is_a_recount_under_the_changed_settings(
    subjects: dict[str, Facts], settings: tuple[TenantSettings, TenantSettings]
) -> None:
    one, other = settings
    profiles = recount(subjects, one)
    now, then = expected_places(subjects, one), expected_places(subjects, other)
    difference = Difference(enabled_mask(one), enabled_mask(other), changed(subjects, one, other))
    assert tally_of(recount(subjects, other)) == difference.tally(tally_of(profiles))
    shifts = list(difference.shifts(profiles.items()))
    assert {name: (now[name], then[name]) for name in subjects if now[name] != then[name]} == {
        shift.subject: (shift.from_factor, shift.to_factor) for shift in shifts
    }
    kinds = [shift.kind for shift in shifts]
    assert {kind: kinds.count(kind) for kind in ("gained", "lost", "moved")} == difference.totals(tally_of(profiles))
    gained = sum(place is not None for place in then.values()) - sum(place is not None for place in now.values())
    assert gained == kinds.count("gained") - kinds.count("lost")


HERE, DIRECT = TenantSettings(tenant="t"), {"number_type": "directRouting"}


@hypothesis.settings(max_examples=400)
@given(USER_FACTS, NUMBER_FACTS, SETTINGS)
@example({"directory": {"deleted": True}, "phone_number": DIRECT}, {}, HERE)
@example({"voice": {"enterprise_voice": False}, "phone_number": DIRECT}, {}, HERE)
@example({}, {"service_number": {"held_by_user": True}, "dial_plan": {"tag": "fax"}}, HERE)
def test_the_deciding_facts_are_enough_and_decide_nothing_else(
    user: Facts, number: Facts, settings: TenantSettings
) -> None:
    criteria = compile_criteria(settings)
    for subject, facts in (("user:a", user), ("number:1", number)):
        whole = recount({subject: facts}, settings)[subject]
        assert whole & DECIDED == decided_bits(subject, cut(facts), criteria)
        assert whole == rejudged(recount({subject: facts}, TenantSettings(tenant="t"))[subject], whole & DECIDED)


@given(st.sampled_from(["voice", "dial_plan"]), st.sampled_from([tag for tag in TAGS if tag]), SETTINGS)
def test_the_same_criteria_judge_alike(facet: Any, value: str, settings: TenantSettings) -> None:
    assert judges_alike(facet, value, compile_criteria(settings), compile_criteria(settings))


@given(st.dictionaries(st.integers(0, 255), st.integers(0, 3), max_size=4), st.integers(0, 31), st.integers(0, 31))
def test_a_tally_that_lags_is_never_below_nothing(tally: dict[int, int], before: int, after: int) -> None:
    difference = Difference(before, after, {"user:a": (1, 0), "user:b": (1, 0), "number:1": (48, 32)})
    assert all(number > 0 for number in difference.tally(tally).values())
    assert all(number >= 0 for number in difference.totals(tally).values())
