"""Which counted subjects may be wasting a seat, and what acting on it frees."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from licensing.factors import (
    ALL,
    DIRECT_ROUTING,
    LICENSED,
    LIFECYCLE,
    LOADED,
    OPERATOR_CONNECT,
    SERVICE_NUMBER,
    USER_INTERFACE,
)
from licensing.reclaim import Judging, Reclaimable, Signals, reclaimable, seats_saved, why

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINE = NOW - timedelta(days=90)
KNOWN = Signals("user:known", DIRECT_ROUTING, in_directory=True, account_enabled=True, teams_phone=True)


def _found(*signals: Signals, enabled: int = ALL, near: dict[str, list[str]] | None = None) -> list[Reclaimable]:
    return list(reclaimable(signals, Judging(enabled, LINE, near or {})))


def _user(profile: int, **known: Any) -> Signals:
    return Signals("user:a", profile, **({"in_directory": True} | known))


@pytest.mark.parametrize(
    ("signals", "reasons"),
    [
        (_user(DIRECT_ROUTING), []),
        (_user(DIRECT_ROUTING, account_enabled=True, teams_phone=True), []),
        (_user(DIRECT_ROUTING, account_enabled=False), ["disabled_account"]),
        (_user(DIRECT_ROUTING, teams_phone=False), ["no_teams_phone"]),
        (_user(USER_INTERFACE, changed_at=LINE - timedelta(seconds=1)), ["old_hand_change"]),
        (_user(USER_INTERFACE, changed_at=LINE), []),
        (_user(USER_INTERFACE | LICENSED, changed_at=LINE - timedelta(days=1)), ["old_hand_change"]),
        (_user(USER_INTERFACE | LIFECYCLE, changed_at=LINE - timedelta(days=1)), ["two_reasons"]),
        (_user(DIRECT_ROUTING | OPERATOR_CONNECT, account_enabled=False), ["disabled_account", "two_reasons"]),
        (_user(LICENSED, account_enabled=False), []),
        (Signals("number:+1", SERVICE_NUMBER | LOADED, tag="sbc1.acme.exmple"), ["near_miss_tag"]),
        (Signals("number:+1", SERVICE_NUMBER | LOADED, tag="fax"), []),
    ],
)
def test_a_subject_is_found_for_what_is_known_of_it(signals: Signals, reasons: list[str]) -> None:
    near = {"sbc1.acme.exmple": ["sbc1.acme.example"]}
    assert reasons == [each.reason for each in _found(KNOWN, signals, near=near)]


def test_whom_the_directory_does_not_know_is_found_only_where_there_is_a_directory() -> None:
    stray = Signals("user:stray", OPERATOR_CONNECT)
    assert [("user:stray", "not_in_directory")] == [(each.subject, each.reason) for each in _found(KNOWN, stray)]
    assert [] == _found(stray)


def test_a_number_is_in_no_directory_and_that_is_as_it_should_be() -> None:
    assert [] == _found(KNOWN, Signals("number:+1", SERVICE_NUMBER | LOADED))


def test_two_reasons_free_no_seat_and_say_where_the_subject_would_be_counted() -> None:
    (found,) = _found(_user(DIRECT_ROUTING | LIFECYCLE))
    assert (0, "direct_routing", "lifecycle") == (found.saving, found.factor, found.also)
    assert "at Managed Users - By Template: switching off one factor does not free the seat" in why(found)


def test_a_factor_that_is_off_is_no_second_reason() -> None:
    assert [] == _found(_user(DIRECT_ROUTING | LIFECYCLE), enabled=ALL & ~LIFECYCLE)


def test_who_is_not_counted_wastes_nothing() -> None:
    assert [] == _found(KNOWN, _user(USER_INTERFACE, account_enabled=False), enabled=ALL & ~USER_INTERFACE)


def test_a_subject_frees_one_seat_however_many_reasons_there_are() -> None:
    found = _found(
        _user(DIRECT_ROUTING | LIFECYCLE, account_enabled=False, teams_phone=False),
        Signals("user:b", OPERATOR_CONNECT, in_directory=True, account_enabled=False),
    )
    assert 4 == len(found)
    assert 2 == seats_saved(found)


def test_what_frees_the_seat_names_all_that_it_is_counted_by() -> None:
    first = _found(_user(DIRECT_ROUTING | LIFECYCLE, account_enabled=False))[0]
    assert why(first).endswith("It also matches Managed Users - By Template: both have to end.")
    (miss,) = _found(Signals("number:+1", SERVICE_NUMBER, tag="x"), near={"x": ["sbc1.acme.example"]})
    assert "one character away from sbc1.acme.example" in why(miss, ["sbc1.acme.example"])
