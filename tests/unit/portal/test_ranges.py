"""Ranges of time and steps, as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.answers.ranges import MAX_POINTS, RangeError, choose_step, parse_instant, parse_range

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year, month, day, …


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, (NOW - timedelta(days=1), NOW)),
        ("30d", None, (NOW - timedelta(days=30), NOW)),
        ("2h", "1h", (NOW - timedelta(hours=2), NOW - timedelta(hours=1))),
        ("2026-03", None, (utc(2026, 3, 1), utc(2026, 4, 1))),
        ("2025-12", "2026-01", (utc(2025, 12, 1), utc(2026, 2, 1))),
        ("2025", None, (utc(2025, 1, 1), utc(2026, 1, 1))),
        ("2026-03-03", None, (utc(2026, 3, 3), utc(2026, 3, 4))),
        ("2026-11", None, (utc(2026, 11, 1), NOW)),
        ("2026-03-03T12:00:00+02:00", "now", (utc(2026, 3, 3, 10), NOW)),
    ],
)
def test_a_range_reads_spans_periods_and_instants(
    start: str | None, end: str | None, expected: tuple[datetime, datetime]
) -> None:
    assert expected == parse_range(start, end, NOW)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13", "2026-02-30", "9999999d", "2026-03-03T12:00:00", "-1d", "0000"]
)
def test_what_is_no_time_is_refused_with_what_is_taken(text: str) -> None:
    with pytest.raises(RangeError, match="30d or 12h"):
        parse_range(text, None, NOW)


@pytest.mark.parametrize(("start", "end"), [("1h", "2h"), ("2027", None), ("now", None)])
def test_an_empty_range_is_refused(start: str, end: str | None) -> None:
    with pytest.raises(RangeError, match="the range is empty"):
        parse_range(start, end, NOW)


def test_an_instant_of_a_day_is_its_start() -> None:
    assert utc(2026, 3, 3) == parse_instant("2026-03-03", NOW)


@pytest.mark.parametrize(
    "length", [timedelta(seconds=1), timedelta(hours=7), timedelta(days=31), timedelta(days=3_650)]
)
def test_the_automatic_step_stays_within_about_a_thousand_points(length: timedelta) -> None:
    step_s = choose_step("auto", NOW - length, NOW)
    points = length.total_seconds() / step_s
    assert points <= MAX_POINTS
    assert step_s == 1 or points * 8 >= MAX_POINTS / 8, "a step much longer than needed hides what could be shown"


@pytest.mark.parametrize(
    ("step", "expected"), [("1m", 60), ("1h", 3_600), ("1d", 86_400), ("300", 300), ("2w", 1_209_600)]
)
def test_an_explicit_step_is_taken(step: str, expected: int) -> None:
    assert expected == choose_step(step, NOW - timedelta(days=2), NOW)


@pytest.mark.parametrize("step", ["0", "0m", "soon", "1.5h", "-60", ""])
def test_what_is_no_step_is_refused(step: str) -> None:
    with pytest.raises(RangeError, match="a step is auto"):
        choose_step(step, NOW - timedelta(days=2), NOW)


def test_a_step_that_gives_too_many_points_is_refused_with_their_number() -> None:
    with pytest.raises(RangeError, match="31,536,000 points"):
        choose_step("1s", NOW - timedelta(days=365), NOW)
