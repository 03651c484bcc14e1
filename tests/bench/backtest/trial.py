"""Owns a back-test: each method sees a series up to a day, and is held against what came after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.bench.backtest.methods import Method
from tests.bench.backtest.series import Series

HORIZONS = (7, 14, 30, 90)
_FIRST, _EVERY = 120, 30
"""Days of history before the first forecast, and between two."""


@dataclass
class Score:
    """Errors in percent of the pool, and how many true values lay within the band."""

    errors: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)

    @property
    def error(self) -> float:
        """The mean absolute error in percent of the pool."""
        return sum(self.errors) / len(self.errors)

    @property
    def coverage(self) -> float | None:
        """The share of true values within the band in percent, None for a method without one."""
        return 100 * sum(self.inside) / len(self.inside) if self.inside else None


Scores = Mapping[tuple[str, str, int], Score]
"""By kind of series, method and horizon."""


def back_test(series: Iterable[Series], methods: Mapping[str, Method]) -> Scores:
    """Try the methods at every so many days of each series."""
    scores: dict[tuple[str, str, int], Score] = defaultdict(Score)
    for one in series:
        for origin in range(_FIRST, len(one.peaks) - HORIZONS[-1], _EVERY):
            known = one.peaks[:origin]
            for name, method in methods.items():
                for ahead, guess in zip(HORIZONS, method(known, HORIZONS), strict=True):
                    true = one.peaks[origin - 1 + ahead]
                    score = scores[one.kind, name, ahead]
                    score.errors.append(100 * abs(guess.expected - true) / one.pool)
                    if guess.low is not None and guess.high is not None:
                        score.inside.append(round(guess.low) <= true <= round(guess.high))
    return scores
