"""Every subject is counted at most once, the figures add up, and toggling by the tally is a recount."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.count import figures, is_counted
from licensing.criteria import compile_criteria
from licensing.factors import FACTORS, LOADED, SERVICE_TYPES, counted_factor, enabled_mask, matched_factors
from licensing.recount import recount, tally_of
from licensing.rules import explain, profile_from_facts
from schemas.settings import Factors, ProviderSettings, TenantSettings
from tests.property.tenants import NUMBER_FACTS, PROVIDERS, SETTINGS, SUBJECTS, USER_FACTS

Facts = dict[str, dict[str, Any] | None]
TALLIES = st.dictionaries(st.integers(0, 255), st.integers(0, 10_000), max_size=20)
MASKS = st.integers(0, 31)


@given(SUBJECTS, SETTINGS, PROVIDERS)
def test_every_subject_is_counted_at_most_once(
    subjects: dict[str, Facts], settings: TenantSettings, provider: ProviderSettings | None
) -> None:
    mask, criteria = enabled_mask(settings, provider), compile_criteria(settings)
    profiles = recount(subjects, settings)
    counted = figures(tally_of(profiles), mask, None)
    places = {
        subject: [decision.factor for decision in explain(subject, facts, criteria, mask) if decision.counted]
        for subject, facts in subjects.items()
    }
    assert all(len(factors) <= 1 for factors in places.values())
    assert counted.currently_licensed == sum(map(len, places.values()))
    for row in counted.factors:
        assert row.counted == sum(row.factor in factors for factors in places.values())
    assert counted.currently_licensed == sum(is_counted(profile, mask) for profile in profiles.values())


@given(TALLIES, MASKS, st.none() | st.integers(0, 100_000))
def test_the_figures_of_a_page_add_up(tally: dict[int, int], mask: int, pool: int | None) -> None:
    page = figures(tally, mask, pool)
    assert page.currently_licensed == sum(row.counted for row in page.factors)
    assert page.currently_licensed == sum(number for profile, number in tally.items() if profile & mask)
    assert page.available_licenses == (None if pool is None else pool - page.currently_licensed)
    assert (page.usage_percent is None) == (not pool)
    if pool:
        assert abs(page.usage_percent * pool - 100 * page.currently_licensed) <= 0.0501 * pool  # type: ignore[operator]
    total = 0
    for row, factor in zip(page.factors, FACTORS, strict=True):
        total += row.counted
        assert (row.factor, row.priority, row.cumulative) == (factor.name, factor.priority, total)
        assert row.counted <= row.matched if factor.name != "service_number" else row.matched >= 0
        assert row.display == (f"{row.counted} ({row.matched})" if row.enabled else f"0 ({row.matched}) (n/a)")
        assert row.enabled == bool(mask & factor.bit)
        assert row.enabled or row.counted == 0


@given(TALLIES, MASKS, MASKS)
def test_what_a_factor_matches_does_not_depend_on_switches(tally: dict[int, int], one: int, other: int) -> None:
    first, second = figures(tally, one, None), figures(tally, other, None)
    assert [row.matched for row in first.factors] == [row.matched for row in second.factors]
    assert (first.user_licenses, first.dr_phone_licenses) == (second.user_licenses, second.dr_phone_licenses)


@given(SUBJECTS, SETTINGS, PROVIDERS, st.data())
def test_toggling_by_the_tally_is_a_recount_from_the_facts(
    subjects: dict[str, Facts], settings: TenantSettings, provider: ProviderSettings | None, data: st.DataObject
) -> None:
    tally = tally_of(recount(subjects, settings))
    switches = {name: data.draw(st.none() | st.booleans()) for name in Factors.model_fields}
    toggled = settings.model_copy(
        update={"factors": Factors(**switches), "service_type": data.draw(st.sampled_from(sorted(SERVICE_TYPES)))}
    )
    mask = enabled_mask(toggled, provider)
    by_tally = figures(tally, mask, toggled.acquired_licenses)
    assert by_tally == figures(tally_of(recount(subjects, toggled)), mask, toggled.acquired_licenses)
    by_hand = dict.fromkeys((factor.name for factor in FACTORS), 0)
    for subject, facts in subjects.items():
        for decision in explain(subject, facts, compile_criteria(toggled), mask):
            by_hand[decision.factor] += decision.counted
    assert {row.factor: row.counted for row in by_tally.factors} == by_hand


@given(st.sampled_from([("user:a", USER_FACTS), ("number:1", NUMBER_FACTS)]), SETTINGS, MASKS, st.data())
def test_an_explanation_counts_at_the_first_enabled_match_alone_and_always_says_why(
    subject_and_facts: tuple[str, st.SearchStrategy[Facts]], settings: TenantSettings, mask: int, data: st.DataObject
) -> None:
    subject, facts = subject_and_facts[0], data.draw(subject_and_facts[1])
    criteria = compile_criteria(settings)
    decisions = explain(subject, facts, criteria, mask)
    winners = [decision.factor for decision in decisions if decision.matches and decision.enabled][:1]
    assert [decision.factor for decision in decisions if decision.counted] == winners
    assert [decision.factor for decision in decisions] == [factor.name for factor in FACTORS]
    assert all(decision.reason for decision in decisions)
    profile = profile_from_facts(subject, facts, criteria)
    assert [decision.factor for decision in decisions if decision.matches] == matched_factors(profile)
    for decision in decisions:
        assert ("not enabled" in decision.reason) == (decision.matches and not decision.enabled)
        assert ("already counted at" in decision.reason) == (
            decision.matches and decision.enabled and not decision.counted
        )


@given(st.integers(0, 255), MASKS, st.sampled_from([factor.bit for factor in FACTORS]))
def test_switching_a_factor_off_makes_its_subjects_fall_through_and_moves_no_others(
    profile: int, mask: int, bit: int
) -> None:
    before, after = counted_factor(profile, mask | bit), counted_factor(profile, mask & ~bit)
    if before is None or before.bit != bit:
        assert after == before
    else:
        rest = [factor for factor in FACTORS if factor.bit & profile & mask & ~bit]
        assert after == (rest[0] if rest else None)
        assert after is None or after.priority > before.priority


@given(SETTINGS, PROVIDERS)
def test_no_switch_brings_a_factor_that_the_service_type_lacks_nor_takes_one_that_is_not_optional(
    settings: TenantSettings, provider: ProviderSettings | None
) -> None:
    mask, exists = enabled_mask(settings, provider), SERVICE_TYPES[settings.service_type]
    for factor in FACTORS:
        own = getattr(settings.factors, factor.name, None)
        inherited = getattr(provider.factors, factor.name, None) if provider else None
        wanted = own if own is not None else inherited is not False
        assert bool(mask & factor.bit) == (bool(exists & factor.bit) and wanted)


@given(SUBJECTS, SETTINGS)
def test_numbers_loaded_are_those_of_a_dial_plan_or_a_service_number_source(
    subjects: dict[str, Facts], settings: TenantSettings
) -> None:
    loaded = {
        subject
        for subject, facts in subjects.items()
        if facts.get("dial_plan") is not None or facts.get("service_number") is not None
    }
    assert {subject for subject, profile in recount(subjects, settings).items() if profile & LOADED} == loaded
