"""The criteria of a tenant: defaults that mean what the vendor's do, literal placeholders, RE2 (LICENSE-FACTORS §4)."""

import pytest
from pydantic import ValidationError

from licensing.criteria import CompiledCriteria, PatternError, compile_criteria, fingerprint
from schemas.settings import Criteria, TenantSettings

MS_TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CUSTOMER = "2f1d7c9a-1c1b-4a59-8f6d-3e9b0a4c7d11"
VENDOR_GATEWAY = "^.*(?i)_PSTNGATEWAY_TO_REPLACE_.*$"
VENDOR_DR_NUMBERS = f"(^_MSTENANTID_TO_REPLACE_$)|(^_UMPCUSTOMERGUID_TO_REPLACE_$)|({VENDOR_GATEWAY})"
TENANT = TenantSettings(tenant="contoso", gateways=["sbc1.x", "sbc2.y"], ms_tenant_id=MS_TENANT, customer_guid=CUSTOMER)
TEXTS = [
    "sbc1.x", "SBC2.Y", "trunk-sbc1.x-7", "sbc1ax", "sbc3.z", MS_TENANT, CUSTOMER, f"x{MS_TENANT}",
    f"{CUSTOMER}x", "fax",
]  # fmt: skip


def with_criteria(settings: TenantSettings = TENANT, **patterns: str | None) -> CompiledCriteria:
    return compile_criteria(settings.model_copy(update={"criteria": Criteria(**patterns)}))


def dr_numbers(pattern: str | None, text: str, settings: TenantSettings = TENANT) -> bool:
    return with_criteria(settings, dr_numbers=pattern).dr_numbers(text)


@pytest.mark.parametrize("text", TEXTS)
def test_the_defaults_mean_what_the_vendors_patterns_mean(text: str) -> None:
    ours, vendors = (
        with_criteria(),
        with_criteria(licensed_users_by_gateway=VENDOR_GATEWAY, dr_numbers=VENDOR_DR_NUMBERS),
    )
    assert ours.gateway is not None
    assert vendors.gateway is not None
    assert ours.gateway(text) == vendors.gateway(text)
    assert ours.dr_numbers(text) == vendors.dr_numbers(text)


def test_the_defaults_ignore_case_throughout() -> None:
    assert dr_numbers(None, MS_TENANT.upper())
    assert dr_numbers(None, CUSTOMER.upper())
    assert dr_numbers(None, "SBC1.X")


def test_the_default_rejects_no_service_number() -> None:
    assert with_criteria().reject is None


def test_an_empty_pattern_is_the_default() -> None:
    empty = with_criteria(licensed_users_by_gateway="", dr_numbers="", reject_service_numbers="")
    assert empty.reject is None
    assert empty.gateway is not None
    assert [empty.dr_numbers(text) for text in TEXTS] == [with_criteria().dr_numbers(text) for text in TEXTS]


def test_a_dot_in_a_gateway_is_a_dot() -> None:
    assert dr_numbers("_PSTNGATEWAY_TO_REPLACE_", "sbc1.x")
    assert not dr_numbers("_PSTNGATEWAY_TO_REPLACE_", "sbc1ax")
    assert not dr_numbers(None, "sbc1ax")


@pytest.mark.parametrize("name", ["PSTNGATEWAY_TO_REPLACE", "MSTENANTID_TO_REPLACE", "UMPCUSTOMERGUID_TO_REPLACE"])
@pytest.mark.parametrize("pattern", ["^{}$", "^_{}_$", "^_{}$", "^{}_$"])
def test_a_placeholder_is_filled_with_and_without_its_outer_underscores(name: str, pattern: str) -> None:
    value = {"P": "sbc2.y", "M": MS_TENANT, "U": CUSTOMER}[name[0]]
    assert dr_numbers(pattern.format(name), value)
    assert not dr_numbers(pattern.format(name), f"_{value}_")


def test_a_second_underscore_beside_a_placeholder_is_the_patterns_own() -> None:
    assert dr_numbers("^__PSTNGATEWAY_TO_REPLACE__$", "_sbc1.x_")
    assert not dr_numbers("^__PSTNGATEWAY_TO_REPLACE__$", "sbc1.x")


def test_a_pattern_of_a_customer_is_a_search_that_minds_case() -> None:
    assert dr_numbers("dr", "old-dr-number")
    assert not dr_numbers("dr", "OLD-DR-NUMBER")
    assert not dr_numbers("^dr", "old-dr-number")
    assert not dr_numbers("dr$", "old-dr-number")


def test_a_customers_pattern_stands_in_place_of_the_default() -> None:
    assert not dr_numbers("^dr-", "sbc1.x")


def test_a_flag_in_mid_pattern_holds_from_there_on() -> None:
    assert dr_numbers("^Dr-(?i)berlin", "Dr-BERLIN")
    assert not dr_numbers("^Dr-(?i)berlin", "DR-BERLIN")


@pytest.mark.parametrize(
    "pattern", ["_MSTENANTID_TO_REPLACE_", "(?i)PSTNGATEWAY_TO_REPLACE", "^_UMPCUSTOMERGUID_TO_REPLACE_$"]
)
@pytest.mark.parametrize("text", ["", "x", "\x00", "\n", "\U0010ffff", "_", "MSTENANTID_TO_REPLACE"])
def test_a_placeholder_without_a_value_matches_nothing(pattern: str, text: str) -> None:
    assert not dr_numbers(pattern, text, TenantSettings(tenant="t"))


def test_a_placeholder_without_a_value_leaves_the_rest_of_the_pattern_alone() -> None:
    assert dr_numbers("^_MSTENANTID_TO_REPLACE_$|^fax$", "fax", TenantSettings(tenant="t"))


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?=a)", "invalid perl operator: (?="),
        ("(a", "missing ): (a"),
        ("[a", "missing ]"),
        ("a**", "bad repetition operator"),
        ("a{1001}", "invalid repetition size"),
    ],
)
@pytest.mark.parametrize("name", list(Criteria.model_fields))
def test_a_pattern_that_re2_refuses_is_named_with_the_reason(name: str, pattern: str, reason: str) -> None:
    with pytest.raises(PatternError) as refusal:
        compile_criteria(TENANT.model_copy(update={"criteria": Criteria.model_validate({name: pattern})}))
    assert f"the pattern {name} = " in str(refusal.value)
    assert reason in str(refusal.value)


def test_a_pattern_of_10_000_characters_is_refused_by_the_settings() -> None:
    with pytest.raises(ValidationError, match="dr_numbers\n  String should have at most 1000 characters"):
        Criteria(dr_numbers="x" * 10_000)


def test_a_pattern_of_10_000_characters_is_refused_where_settings_were_not_checked() -> None:
    unchecked = Criteria.model_construct(dr_numbers="x" * 10_000)
    with pytest.raises(PatternError, match="the pattern dr_numbers has 10,000 characters; at most 1,000 are taken"):
        CompiledCriteria(TENANT.model_copy(update={"criteria": unchecked}))


def test_a_pattern_of_1_000_characters_is_taken() -> None:
    assert dr_numbers("x" * 1_000, "x" * 1_000)


def test_a_pattern_that_stalls_other_engines_answers_at_once() -> None:
    assert not dr_numbers("^(a+)+$", "a" * 60_000 + "!")


def test_the_fingerprint_changes_with_what_profiles_depend_on_and_with_nothing_else() -> None:
    def edited(**update: object) -> str:
        return fingerprint(TENANT.model_copy(update=update))

    same = [edited(), edited(acquired_licenses=7), edited(revision=9), edited(gateways=["sbc2.y", "sbc1.x"])]
    assert set(same) == {fingerprint(TENANT)}
    other = [
        edited(gateways=["sbc1.x"]),
        edited(ms_tenant_id=None),
        edited(ms_tenant_id=CUSTOMER, customer_guid=MS_TENANT),
        edited(criteria=Criteria(dr_numbers="a\0")),
        edited(criteria=Criteria(dr_numbers="a", reject_service_numbers="\0")),
        edited(criteria=Criteria(licensed_users_by_gateway="a")),
    ]
    assert len({fingerprint(TENANT), *other}) == 7


def test_two_tenants_do_not_share_what_their_gateways_match() -> None:
    other = TENANT.model_copy(update={"tenant": "fabrikam", "gateways": ["sbc9.z"]})
    assert (dr_numbers(None, "sbc9.z"), dr_numbers(None, "sbc9.z", other)) == (False, True)
    assert (dr_numbers(None, "sbc1.x"), dr_numbers(None, "sbc1.x", other)) == (True, False)
