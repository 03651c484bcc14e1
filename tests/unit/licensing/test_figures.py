"""The figures of the licence page, with the vendor's own worked examples (LICENSE-FACTORS §2, §3)."""

import pytest

from licensing.count import figures, is_counted
from licensing.factors import (
    ALL,
    DIRECT_ROUTING,
    DR_PHONE,
    LICENSED,
    LIFECYCLE,
    LOADED,
    OPERATOR_CONNECT,
    SERVICE_NUMBER,
    USER_INTERFACE,
)

VENDOR = {DIRECT_ROUTING: 200, OPERATOR_CONNECT: 100, USER_INTERFACE: 50, LOADED | SERVICE_NUMBER: 20}


def test_the_vendors_example_uses_370_of_500_and_leaves_130() -> None:
    page = figures(VENDOR, ALL, 500)
    assert (page.currently_licensed, page.available_licenses, page.usage_percent) == (370, 130, 74.0)
    assert [row.counted for row in page.factors] == [200, 100, 0, 50, 20]
    assert [row.cumulative for row in page.factors] == [200, 300, 300, 350, 370]


def test_five_numbers_loaded_of_which_two_count_read_2_5() -> None:
    page = figures({LOADED: 3, LOADED | SERVICE_NUMBER: 2}, ALL, 10)
    assert page.factors[4].display == "2 (5)"


def test_a_disabled_factor_reads_0_with_what_would_match_and_n_a() -> None:
    page = figures({LIFECYCLE: 4, LIFECYCLE | DIRECT_ROUTING: 3}, ALL & ~LIFECYCLE, 10)
    assert page.factors[2].display == "0 (7) (n/a)"
    assert (page.factors[2].counted, page.factors[2].enabled, page.factors[2].matched) == (0, False, 7)


def test_disabled_service_numbers_keep_their_loaded_numbers_in_brackets() -> None:
    page = figures({LOADED: 3, LOADED | SERVICE_NUMBER: 2}, ALL & ~SERVICE_NUMBER, 10)
    assert page.factors[4].display == "0 (5) (n/a)"


def test_the_cumulative_column_runs_on_over_factors_without_subjects_and_over_disabled_ones() -> None:
    tally = {DIRECT_ROUTING: 17, LIFECYCLE: 9, USER_INTERFACE: 3}
    page = figures(tally, ALL & ~LIFECYCLE & ~SERVICE_NUMBER, 500)
    assert [row.cumulative for row in page.factors] == [17, 17, 17, 20, 20]


def test_subjects_of_a_disabled_factor_fall_through_to_the_next_that_they_match() -> None:
    tally = {LIFECYCLE | USER_INTERFACE: 4, LIFECYCLE: 2}
    assert [row.counted for row in figures(tally, ALL, None).factors] == [0, 0, 6, 0, 0]
    assert [row.counted for row in figures(tally, ALL & ~LIFECYCLE, None).factors] == [0, 0, 0, 4, 0]


def test_a_subject_of_several_factors_is_counted_at_the_first_and_matched_at_each() -> None:
    page = figures({DIRECT_ROUTING | OPERATOR_CONNECT | LIFECYCLE | USER_INTERFACE: 1}, ALL, 1)
    assert [row.display for row in page.factors] == ["1 (1)", "0 (1)", "0 (1)", "0 (1)", "0 (0)"]
    assert page.currently_licensed == 1


@pytest.mark.parametrize(
    ("pool", "available", "percent"),
    [(None, None, None), (0, -3, None), (2, -1, 150.0), (3, 0, 100.0), (7, 4, 42.9), (4_000, 3_997, 0.1)],
)
def test_the_pool_may_be_unknown_empty_or_overused_and_available_is_never_clamped(
    pool: int | None, available: int | None, percent: float | None
) -> None:
    page = figures({DIRECT_ROUTING: 3}, ALL, pool)
    assert (page.acquired_licenses, page.available_licenses, page.usage_percent) == (pool, available, percent)


def test_user_and_dr_phone_licences_are_those_of_users_whether_they_count_or_not() -> None:
    page = figures({LICENSED: 5, LICENSED | DR_PHONE: 2, LICENSED | DR_PHONE | DIRECT_ROUTING: 1}, 0, None)
    assert (page.user_licenses, page.dr_phone_licenses, page.currently_licensed) == (8, 3, 0)


def test_a_tenant_without_subjects_has_five_factors_in_their_order_all_at_0() -> None:
    page = figures({}, ALL, 10)
    assert [(row.priority, row.label, row.optional, row.display) for row in page.factors] == [
        (1, "Managed Users - Direct Routing", False, "0 (0)"),
        (2, "Managed Users - Operator Connect", False, "0 (0)"),
        (3, "Managed Users - By Template", True, "0 (0)"),
        (4, "Managed Users - By User Interface", True, "0 (0)"),
        (5, "Managed Service Numbers", True, "0 (0)"),
    ]


@pytest.mark.parametrize(
    ("profile", "mask", "counted"),
    [(None, ALL, False), (0, ALL, False), (LICENSED | DR_PHONE | LOADED, ALL, False), (1, ALL, True), (4, 3, False)],
)
def test_a_subject_takes_a_licence_if_it_matches_an_enabled_factor(
    profile: int | None, mask: int, counted: bool
) -> None:
    assert is_counted(profile, mask) is counted
