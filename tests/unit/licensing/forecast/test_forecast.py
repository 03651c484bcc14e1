"""When a pool runs out: what a history says, and where it says nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from licensing.forecast.days import Day
from licensing.forecast.forecast import Forecast, forecast
from licensing.forecast.words import explanation

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
NOW = TODAY + timedelta(hours=15)


def foresee(
    peak: Callable[[int], float], pool: int | None = 500, days: int = 180, pools: Sequence[int | None] = ()
) -> Forecast:
    """`peak(day)`: of day 0 up to `days`, which is today."""
    bought = [*pools, *[pool] * (days - len(pools))]
    closed = [Day(TODAY - timedelta(days=days - day), round(peak(day)), bought[day]) for day in range(days)]
    return forecast(closed, NOW, round(peak(days)), pool)


def test_a_steady_growth_runs_out_when_its_line_crosses_the_pool() -> None:
    found = foresee(lambda day: 300 + day)
    assert "runs_out" == found.status
    assert found.days == pytest.approx(21, abs=2)
    assert found.exhausted_at == TODAY + timedelta(days=found.days or 0)
    assert found.trend_per_week == pytest.approx(7, abs=0.1)
    assert found.interval is not None
    assert found.interval.end is not None
    assert found.interval.start <= found.exhausted_at <= found.interval.end


def test_hires_on_mondays_are_expected_on_mondays() -> None:
    # Day 180 is a Tuesday: Mondays are those of day % 7 == 4.
    found = foresee(lambda day: 300 + 7 * ((day + 3) // 7), pool=600)
    moves = {later.at.weekday(): later.expected - before.expected
             for before, later in zip(found.curve[6:13], found.curve[7:14], strict=True)}  # fmt: skip
    assert 0 == max(moves, key=lambda weekday: moves[weekday])
    assert moves[0] > 4


def test_a_migration_is_a_step_and_no_trend() -> None:
    found = foresee(lambda day: 300 + 150 * (day >= 100), pool=500)
    assert [(TODAY - timedelta(days=80), 150, "usage")] == [(step.at, step.size, step.kind) for step in found.steps]
    assert "no_end_in_sight" == found.status
    assert found.trend_per_week == pytest.approx(0, abs=0.05)
    assert "Taken for migrations, not for growth: +150 on 2026-09-05." in explanation(found)


def test_growth_goes_on_beneath_a_migration() -> None:
    found = foresee(lambda day: 300 + day / 7 + 100 * (day >= 170), pool=1_000)
    assert found.trend_per_week == pytest.approx(1, abs=0.2)
    assert found.curve[0].expected == pytest.approx(426, abs=3)


def test_a_spike_of_two_days_is_neither() -> None:
    found = foresee(lambda day: 300 + 400 * (day in (120, 121)), pool=500)
    assert ("no_end_in_sight", 0.0) == (found.status, found.trend_per_week)
    assert () == tuple(found.steps)


def test_a_larger_pool_is_a_step_of_the_pool_and_no_usage() -> None:
    found = foresee(lambda _: 300, pools=[400] * 90)
    assert [(TODAY - timedelta(days=90), 100, "pool")] == [(step.at, step.size, step.kind) for step in found.steps]
    assert 0.0 == found.trend_per_week


def test_falling_use_has_no_end_in_sight() -> None:
    found = foresee(lambda day: 450 - day / 4)
    assert ("no_end_in_sight", None, None) == (found.status, found.days, found.exhausted_at)
    assert found.trend_per_week == pytest.approx(-1.75, abs=0.1)
    assert explanation(found)[0] == "The pool of 500 is not expected to run out within 2 years."


def test_a_full_pool_that_holds_still_does_not_run_out() -> None:
    assert "no_end_in_sight" == foresee(lambda _: 500).status


def test_an_exceeded_pool_says_since_when() -> None:
    found = foresee(lambda day: 480 + 40 * (day >= 170))
    assert ("over", 0, TODAY - timedelta(days=10)) == (found.status, found.days, found.exhausted_at)
    assert explanation(found)[0] == "520 licences are in use and the pool has 500: over since 2026-11-14."


def test_too_little_history_says_how_much_is_missing() -> None:
    found = foresee(lambda day: 300 + day, days=9)
    assert ("too_little_data", None, None) == (found.status, found.days, found.trend_per_week)
    assert ["21 whole days of history are needed and 9 are there: ask again on 2026-12-06."] == explanation(found)
    assert "too_little_data" != foresee(lambda day: 300 + day, days=21).status


def test_a_new_tenant_over_its_pool_is_over() -> None:
    assert "over" == foresee(lambda _: 600, days=2).status


def test_without_a_pool_there_is_a_trend_all_the_same() -> None:
    found = foresee(lambda day: 300 + day, pool=None)
    assert ("no_pool", None) == (found.status, found.interval)
    assert found.trend_per_week == pytest.approx(7, abs=0.1)


def test_an_interval_that_does_not_end_is_said_not_to() -> None:
    found = foresee(lambda day: 300 + day / 8 + 8 * ((day // 14) % 2), pool=340)
    assert "runs_out" == found.status
    assert found.interval is not None
    assert found.interval.end is None
    assert any("may as well not run out" in sentence for sentence in explanation(found))


def test_a_band_widens_with_time() -> None:
    found = foresee(lambda day: 300 + day + 5 * (day % 3), pool=900)
    widths = [round(day.high - day.low, 1) for day in found.curve]
    assert 0 < widths[0] < widths[29] < widths[-1]
