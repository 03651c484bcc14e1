"""How far a partition is, for those who watch from outside."""

import pytest

from streams.metrics.partitions import lag_s

NOW_S = 1_000.0


@pytest.mark.parametrize(
    ("lag", "oldest_ms", "idle_s", "waited_s"),
    [
        (0, None, 300.0, 0.0),  # a quiet topic is not behind, however long it is quiet
        (0, 900_000, 300.0, 0.0),
        (5, 990_000, 300.0, 10.0),  # by the record's own time, not by when it was fetched
        (5, None, 3.0, 3.0),
        (5, 1_000_500, 3.0, 0.0),  # a producer's clock may be ahead
    ],
)
def test_a_partition_is_behind_by_the_age_of_what_waits(
    lag: int, oldest_ms: int | None, idle_s: float, waited_s: float
) -> None:
    assert waited_s == lag_s(lag, oldest_ms, idle_s, NOW_S)
