"""A forecast holds together whatever the history, and says the same each time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from licensing.forecast.days import Day
from licensing.forecast.forecast import forecast
from licensing.forecast.words import explanation

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
PEAKS = st.lists(st.integers(0, 2_000), max_size=120)
STILL = st.builds(lambda peak, days: [peak] * days, st.integers(0, 2_000), st.integers(0, 120))
POOLS = st.none() | st.integers(0, 2_500)


@given(PEAKS | STILL, POOLS, POOLS, st.integers(0, 2_000))
def test_a_forecast_holds_together(peaks: list[int], before: int | None, pool: int | None, now: int) -> None:
    days = [Day(TODAY - timedelta(days=len(peaks) - place), peak, before) for place, peak in enumerate(peaks)]
    found = forecast(days, TODAY, now, pool)
    assert found == forecast(days, TODAY, now, pool)
    assert (found.status == "over") == (pool is not None and now > pool)
    assert (found.days is not None) == (found.status in ("over", "runs_out"))
    assert (found.days is None) == (found.exhausted_at is None)
    assert all(0 <= day.low <= day.expected <= day.high for day in found.curve)
    if found.interval is not None and found.exhausted_at is not None:
        assert TODAY < found.interval.start <= found.exhausted_at <= (found.interval.end or found.exhausted_at)
    assert all(sentence.endswith(".") for sentence in explanation(found))
