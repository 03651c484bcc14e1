"""The back-test that `make backtest` prints, on few series: forecasts are nearer to the truth than doing without."""

import pytest

from tests.bench.backtest.methods import METHODS
from tests.bench.backtest.series import all_series
from tests.bench.backtest.trial import HORIZONS, Scores, back_test

SEED = 7


@pytest.fixture(scope="module")
def scores() -> Scores:
    return back_test(all_series(SEED, 3), METHODS)


def error(scores: Scores, method: str, ahead: int) -> float:
    kinds = {kind for kind, _, _ in scores}
    return sum(scores[kind, method, ahead].error for kind in kinds) / len(kinds)


@pytest.mark.parametrize("ahead", HORIZONS)
def test_a_forecast_is_nearer_than_a_line(scores: Scores, ahead: int) -> None:
    assert error(scores, "poolwatch", ahead) < 0.8 * error(scores, "line of 90 days", ahead)


@pytest.mark.parametrize("ahead", [days for days in HORIZONS if days > 7])
def test_a_forecast_is_nearer_than_the_last_value_from_two_weeks_on(scores: Scores, ahead: int) -> None:
    assert error(scores, "poolwatch", ahead) < 0.95 * error(scores, "last value", ahead)


@pytest.mark.parametrize("ahead", HORIZONS)
def test_the_band_holds_about_as_many_true_values_as_it_says(scores: Scores, ahead: int) -> None:
    inside = [hit for (_, method, days), score in scores.items() if (method, days) == ("poolwatch", ahead)
              for hit in score.inside]  # fmt: skip
    assert 0.70 <= sum(inside) / len(inside) <= 0.92
