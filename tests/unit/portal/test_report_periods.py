"""Months and the daily stroke, in UTC."""

from datetime import UTC, datetime

import pytest

from portal.answers.ranges import RangeError
from portal.answers.report_periods import latest_months, parse_month, parse_stroke

NOW = datetime(2026, 11, 24, 11, 59, 30, 500_000, tzinfo=UTC)


def _at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # year, month, day and so on


def test_a_month_that_has_ended_is_whole() -> None:
    month = parse_month("2026-10", NOW)
    assert ("2026-10", _at(2026, 10, 1), _at(2026, 11, 1), _at(2026, 11, 1)) == (
        month.name, month.start, month.end, month.until,
    )  # fmt: skip
    assert _at(2027, 1, 1) == parse_month("2026-12", _at(2027, 2, 1)).end


def test_the_current_month_reaches_up_to_this_second() -> None:
    month = parse_month("2026-11", NOW)
    assert (_at(2026, 12, 1), _at(2026, 11, 24, 11, 59, 30)) == (month.end, month.until)


def test_without_a_month_it_is_the_last_that_has_ended() -> None:
    assert "2026-10" == parse_month(None, NOW).name
    assert "2025-12" == parse_month(None, _at(2026, 1, 31)).name


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-11-01", "2026-12", "1969-12", "9999-12", "2026-10\n"])
def test_what_is_no_month_of_the_past_is_refused(text: str) -> None:
    with pytest.raises(RangeError):
        parse_month(text, NOW)


def test_the_stroke_is_at_noon_and_the_last_one_that_was() -> None:
    assert _at(2026, 10, 31, 12) == parse_stroke("2026-10-31", NOW)
    assert _at(2026, 11, 23, 12) == parse_stroke(None, NOW)
    assert _at(2026, 11, 24, 12) == parse_stroke(None, _at(2026, 11, 24, 12))


@pytest.mark.parametrize("text", ["", "2026-11-24", "2026-02-30", "2026-10", "1969-12-31"])
def test_what_is_no_stroke_of_the_past_is_refused(text: str) -> None:
    with pytest.raises(RangeError):
        parse_stroke(text, NOW)


def test_months_count_back_over_the_year() -> None:
    assert ["2026-02", "2026-01", "2025-12"] == latest_months(_at(2026, 2, 28), 3)
