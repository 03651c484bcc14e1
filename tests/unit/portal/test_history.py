"""A history that goes on while it is watched, and the figures that sum it up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from licensing.count import figures
from portal.answers.history import History, counted, reaching
from portal.answers.history_summary import summary
from portal.ports import Bucket
from schemas.count import Cause, Count

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def bucket(minute: int, value: int, **other: Any) -> Bucket:
    known: dict[str, Any] = {"min": value, "max": value, "last": value, "avg": float(value), "acquired_licenses": 100}
    rest = {"user_licenses": 0, "dr_phone_licenses": 0, "factors": {}}
    return Bucket(at=START + minute * MINUTE, **(known | rest | other))


def history(*buckets: Bucket, start: datetime = START, minutes: float = 3) -> History:
    return History(start, START + minutes * MINUTE, 60, buckets)


def count(value: int, at: datetime, pool: int | None = 100) -> Count:
    shown = figures({1: value}, 31, pool)
    return Count(
        tenant="acme", epoch=1, version=1, settings_revision=1, as_of=at, computed_at=at, stale=False,
        acquired_licenses=pool, currently_licensed=value, available_licenses=shown.available_licenses,
        usage_percent=shown.usage_percent, user_licenses=7, dr_phone_licenses=5, factors=shown.factors,
        cause=Cause(kind="users"), freshness={},
    )  # fmt: skip


def shown(of: History) -> list[tuple[int, int, int, int, float]]:
    return [
        (round((each.at - START) / MINUTE), each.min, each.max, each.last, round(each.avg, 3)) for each in of.buckets
    ]


def test_time_that_passes_carries_the_last_value_on_and_moves_the_range() -> None:
    then = history(bucket(0, 10), bucket(1, 20), bucket(2, 30), minutes=2.5)
    now = reaching(then, START + 4.25 * MINUTE, slides=True)
    assert (START + 1.75 * MINUTE, START + 4.25 * MINUTE) == (now.start, now.end)
    assert [(1, 20, 20, 20, 20.0), (2, 30, 30, 30, 30.0), (3, 30, 30, 30, 30.0), (4, 30, 30, 30, 30.0)] == shown(now)
    assert START == reaching(then, START + 4 * MINUTE, slides=False).start
    assert now == reaching(now, START, slides=True), "time does not go back"


def test_a_count_within_a_bucket_widens_it_and_the_next_one_weighs_it_by_time() -> None:
    then = history(bucket(0, 10), minutes=0.25)
    grown = counted(then, count(40, START + 0.5 * MINUTE), slides=False)
    assert [(0, 10, 40, 40, 10.0)] == shown(grown)
    later = counted(grown, count(20, START + 0.75 * MINUTE), slides=False)
    assert [(0, 10, 40, 20, 20.0)] == shown(later)
    assert (7, 5, {"counted": 20, "matched": 20}) == (
        later.buckets[0].user_licenses, later.buckets[0].dr_phone_licenses, later.buckets[0].factors["direct_routing"]
    )  # fmt: skip


def test_a_count_after_a_while_begins_a_bucket_of_its_own() -> None:
    now = counted(history(bucket(0, 10), minutes=1), count(12, START + 3.5 * MINUTE), slides=False)
    assert (3, 10, 12, 12, 10.0) == shown(now)[-1]


def test_a_count_older_than_the_end_changes_the_end() -> None:
    now = counted(history(bucket(2, 10)), count(11, START + 2.5 * MINUTE), slides=False)
    assert START + 3 * MINUTE == now.end
    assert [(2, 10, 11, 11, 10.0)] == shown(now)


def test_the_first_count_of_all_begins_the_history() -> None:
    now = counted(history(), count(5, START + 2.5 * MINUTE), slides=False)
    assert [(3, 5, 5, 5, 5.0)] == shown(now)


def test_a_summary_weighs_by_the_time_within_the_range() -> None:
    found = summary(history(bucket(0, 10), bucket(1, 40, min=20), bucket(2, 20), start=START + 0.5 * MINUTE))
    assert found is not None
    assert (40, START + MINUTE, 10, START + 0.5 * MINUTE, 20) == (
        found.peak, found.peak_at, found.lowest, found.lowest_at, found.last
    )  # fmt: skip
    assert (10 * 0.5 + 40 + 20) / 2.5 == pytest.approx(found.avg)
    assert (0.0, True) == (found.over_s, found.over_is_exact)


def test_hours_over_the_pool_are_shared_out_where_the_count_crosses_it() -> None:
    crossing = bucket(1, 120, min=80, max=120, avg=90.0)
    found = summary(history(bucket(0, 101), crossing, bucket(2, 100)))
    assert found is not None
    assert (60 + 15.0, False) == (found.over_s, found.over_is_exact)


def test_without_a_pool_nothing_is_over_and_without_points_there_is_no_summary() -> None:
    found = summary(history(bucket(0, 10, acquired_licenses=None)))
    assert found is not None
    assert found.over_s is None
    assert summary(history()) is None
