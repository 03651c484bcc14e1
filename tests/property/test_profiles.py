"""The profile of the hot path is what the rules say in words, for any facts and any criteria."""

from datetime import UTC, datetime
from typing import Any

import hypothesis
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from licensing.criteria import DEFAULT_DR_NUMBERS, DEFAULT_GATEWAY, compile_criteria, fingerprint
from licensing.facets import observe
from licensing.factors import DR_PHONE, LICENSED, LOADED, SERVICE_NUMBER
from licensing.profile import profile_of
from licensing.rules import profile_from_facts
from schemas.intake import read_record
from schemas.settings import Criteria, TenantSettings
from tests.property.events import as_json
from tests.property.tenants import GATEWAYS, NUMBER_FACTS, PATTERNS, SETTINGS, TAGS, USER_FACTS

AT = datetime(2026, 1, 1, tzinfo=UTC)
Facts = dict[str, dict[str, Any] | None]


def hot_profile(subject: str, facts: Facts, settings: TenantSettings) -> int:
    """The profile by way of events, as the meter comes to it."""
    events = [
        {"type": facet, "tenant": "t", "subject": subject, "observed_at": AT.isoformat(), "facts": known}
        for facet, known in facts.items()
    ]
    intake = read_record(as_json(events), 2**41)
    assert intake.rejections == []
    return profile_of([observe(event)[0] for event in intake.events], compile_criteria(settings))  # type: ignore[arg-type]


@hypothesis.settings(max_examples=400)
@given(USER_FACTS, SETTINGS)
def test_a_users_profile_is_what_the_rules_say(facts: Facts, settings: TenantSettings) -> None:
    expected = profile_from_facts("user:a", facts, compile_criteria(settings))
    assert hot_profile("user:a", facts, settings) == expected
    assert not expected & (SERVICE_NUMBER | LOADED)


@hypothesis.settings(max_examples=400)
@given(NUMBER_FACTS, SETTINGS)
def test_a_numbers_profile_is_what_the_rules_say(facts: Facts, settings: TenantSettings) -> None:
    expected = profile_from_facts("number:1", facts, compile_criteria(settings))
    assert hot_profile("number:1", facts, settings) == expected
    assert not expected & ~(SERVICE_NUMBER | LOADED)
    assert not expected & SERVICE_NUMBER or expected & LOADED


@given(USER_FACTS, st.integers(0, 3), SETTINGS)
def test_the_order_in_which_the_state_holds_the_facets_does_not_matter(
    facts: Facts, turn: int, settings: TenantSettings
) -> None:
    turned = dict([*facts.items()][turn:] + [*facts.items()][:turn])
    assert hot_profile("user:a", turned, settings) == hot_profile("user:a", facts, settings)


@given(USER_FACTS, st.sampled_from([None, {"deleted": True}]), SETTINGS)
def test_a_deleted_user_is_in_no_figure(
    facts: Facts, directory: dict[str, Any] | None, settings: TenantSettings
) -> None:
    assert hot_profile("user:a", facts | {"directory": directory}, settings) == 0


@given(USER_FACTS, SETTINGS)
def test_a_dr_phone_licence_is_a_users_who_is_licensed(facts: Facts, settings: TenantSettings) -> None:
    profile = hot_profile("user:a", facts, settings)
    assert not profile & DR_PHONE or profile & LICENSED


AWKWARD = st.sampled_from(GATEWAYS) | st.text(r".*+?()[]{}|\^$-_abAB01 é", min_size=1, max_size=6).filter(str.strip)


@given(AWKWARD, AWKWARD | st.text(max_size=5), st.text("xé.", max_size=2))
@example("sbc1.x", "sbc1ax", "")
def test_a_gateway_is_looked_for_literally_in_the_default_criteria(gateway: str, text: str, around: str) -> None:
    settings = TenantSettings(tenant="t", gateways=[gateway])
    criteria = compile_criteria(settings)
    assert criteria.gateway is not None
    assert criteria.gateway(around + gateway.strip().upper() + around)
    if text.isascii():
        assert criteria.gateway(text) == (gateway.strip().lower() in text.lower())
        assert criteria.dr_numbers(text) == criteria.gateway(text)


@given(st.lists(AWKWARD, max_size=3), st.sampled_from(TAGS), st.sampled_from(["_", ""]), st.sampled_from(["_", ""]))
def test_any_gateway_is_a_hit_with_and_without_the_outer_underscores(
    gateways: list[str], text: str, before: str, after: str
) -> None:
    pattern = f"^{before}PSTNGATEWAY_TO_REPLACE{after}$"
    settings = TenantSettings(tenant="t", gateways=gateways, criteria=Criteria(dr_numbers=pattern))
    assert compile_criteria(settings).dr_numbers(text) == (text in [gateway.strip() for gateway in gateways])


@pytest.mark.parametrize(
    "pattern", [pattern for pattern in [*PATTERNS, DEFAULT_GATEWAY, DEFAULT_DR_NUMBERS] if "REPLACE" in pattern]
)
@given(text=st.sampled_from(TAGS) | st.text())
def test_a_placeholder_without_a_value_matches_nothing(pattern: str, text: str) -> None:
    matches = compile_criteria(TenantSettings(tenant="t", criteria=Criteria(dr_numbers=pattern))).dr_numbers(text)
    assert matches == (text.startswith("fax") and "^fax" in pattern)


@given(SETTINGS, SETTINGS, USER_FACTS, NUMBER_FACTS)
def test_equal_fingerprints_mean_equal_profiles(
    one: TenantSettings, other: TenantSettings, user: Facts, number: Facts
) -> None:
    switched = other.model_copy(update={"criteria": one.criteria, "gateways": [*one.gateways]})
    for settings in (other, switched):
        if fingerprint(one) == fingerprint(settings):
            assert hot_profile("user:a", user, one) == hot_profile("user:a", user, settings)
            assert hot_profile("number:1", number, one) == hot_profile("number:1", number, settings)


@given(
    SETTINGS,
    st.sampled_from(["licensed_users_by_gateway", "dr_numbers", "reject_service_numbers"]),
    st.text(max_size=4),
)
def test_another_criterion_gives_another_fingerprint(settings: TenantSettings, name: str, pattern: str) -> None:
    changed = settings.model_copy(update={"criteria": settings.criteria.model_copy(update={name: pattern})})
    same = (getattr(settings.criteria, name) or "") == pattern
    assert (fingerprint(settings) == fingerprint(changed)) == same
