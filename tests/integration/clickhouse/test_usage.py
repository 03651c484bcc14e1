"""What counts were over a period, on the real engine, against a naive sum over every second."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any

import pytest
from msgspec.json import encode

from licensing.factors import FACTORS
from licensing.reports.usage import Stretch, over_period
from portal.ports import Resolution
from portal.store.store import ClickHouseStore
from runtime.clickhouse.pool import ClientPool
from schemas.times import from_ms, to_ms
from streams.sink import rollup
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger, decode_count
from tests.support.sinking import change, count

DAY_S = 86_400
BEGIN_S = 1_790_035_200 // DAY_S * DAY_S
SPAN_S = 2 * DAY_S


def _at(second: int) -> datetime:
    return from_ms(second * 1_000)


def _write(rows: ClickHouseRows, tenant: str, values: Sequence[tuple[int, int, int | None]]) -> None:
    ledger = CountLedger()
    counts = (
        count(tenant, number + 1, _at(second), licensed, acquired_licenses=pool)
        for number, (second, licensed, pool) in enumerate(values)
    )
    taken = [ledger.take(decode_count(each.model_dump_json().encode())) for each in counts]
    rows.insert("license_counts", [encode(row) for row in taken if row is not None])


def _walk(seed: int, first: int, steps: int) -> list[tuple[int, int, int | None]]:
    random = Random(seed)
    seconds = sorted(random.sample(range(BEGIN_S + first, BEGIN_S + SPAN_S), steps))
    return [(second, random.randrange(80, 120), random.choice([None, 90, 100, 110])) for second in seconds]


def _close(pool: ClientPool, closed: int) -> None:
    for resolution in rollup.RESOLUTIONS:
        with pool.lease() as client:
            rollup.compute(client, resolution, rollup.Window(since=0, closed_before=0, closed=closed), through=closed)


def _every_second(
    values: Sequence[tuple[int, int, int | None]], start: int, end: int
) -> Iterator[tuple[int, int | None]]:
    known = {second: (licensed, pool) for second, licensed, pool in values}
    held = next(((licensed, pool) for second, licensed, pool in reversed(values) if second < start), None)
    for second in range(start, end):
        held = known.get(second, held)
        if held is not None:
            yield held


def _whole(store: ClickHouseStore, tenant: str, start: int, end: int) -> tuple[Stretch, Resolution]:
    found = store.recorded([tenant], _at(start), _at(end))[tenant]
    whole = over_period(found.carried, found.stretch, start, end)
    assert whole is not None
    return whole, found.resolution


@pytest.mark.parametrize("seed", range(2))
def test_raw_rows_give_what_every_second_gives(rows: ClickHouseRows, store: ClickHouseStore, seed: int) -> None:
    values = _walk(seed, -DAY_S, 300)
    _write(rows, "contoso", values)
    for start, end in ((BEGIN_S, BEGIN_S + SPAN_S), (BEGIN_S + 3_600, BEGIN_S + 20 * 3_600 + 17)):
        whole, resolution = _whole(store, "contoso", start, end)
        every = list(_every_second(values, start, end))
        over = [licensed - pool for licensed, pool in every if pool is not None and licensed > pool]
        assert "second" == resolution
        assert (sum(licensed for licensed, _ in every), len(over), sum(over)) == (
            whole.area, whole.over_s, whole.over_area,
        )  # fmt: skip
        # Tests count all subjects at the first factor.
        assert [whole.area, 0, 0, 0, 0] == list(whole.counted_areas)
        peak = max(licensed for licensed, _ in every)
        reached = start + next(second for second, (licensed, _) in enumerate(every) if licensed == peak)
        assert (peak, reached) == (whole.peak, whole.peak_at)
        assert every[-1] == (whole.last.licensed, whole.last.pool)


def test_where_rows_are_gone_buckets_give_the_same_average_and_peak_and_say_so(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    values = [(second, licensed, 100) for second, licensed, _ in _walk(7, -DAY_S, 300)]
    _write(rows, "contoso", values)
    _close(pool, BEGIN_S + SPAN_S)
    exact, _ = _whole(store, "contoso", BEGIN_S, BEGIN_S + SPAN_S)
    for gone, left in (("license_counts", "hour"), ("license_counts_hourly", "day")):
        with pool.lease() as client:
            client.command(f"TRUNCATE TABLE {gone}")
        whole, resolution = _whole(store, "contoso", BEGIN_S, BEGIN_S + SPAN_S)
        assert left == resolution
        assert (exact.area, exact.peak, exact.last, exact.first) == (whole.area, whole.peak, whole.last, whole.first)
        assert (False, True) == (exact.crosses, whole.crosses)
        assert exact.over_s == pytest.approx(whole.over_s, rel=0.5)


def test_buckets_that_stay_on_one_side_of_the_pool_are_exact(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    _write(rows, "contoso", [(BEGIN_S - 100, 90, 100), (BEGIN_S + 3_600, 104, 100), (BEGIN_S + 9_000, 108, 100),
                             (BEGIN_S + 10_800, 95, 100)])  # fmt: skip
    _close(pool, BEGIN_S + DAY_S)
    with pool.lease() as client:
        client.command("TRUNCATE TABLE license_counts")
    whole, resolution = _whole(store, "contoso", BEGIN_S, BEGIN_S + DAY_S)
    assert ("hour", False) == (resolution, whole.crosses)
    assert (7_200, 4 * 5_400 + 8 * 1_800) == (whole.over_s, whole.over_area)


def test_a_period_that_is_half_closed_takes_its_rest_from_rows(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    values = [(BEGIN_S + hour * 3_600, 100 + hour, 100) for hour in range(48)]
    _write(rows, "contoso", values)
    exact, _ = _whole(store, "contoso", BEGIN_S, BEGIN_S + SPAN_S)
    _close(pool, BEGIN_S + DAY_S)
    with pool.lease() as client:
        client.command(f"DELETE FROM license_counts WHERE at < toDateTime({BEGIN_S + 7_200}, 'UTC')")
    whole, resolution = _whole(store, "contoso", BEGIN_S, BEGIN_S + SPAN_S)
    assert ("hour", exact.area, exact.over_area) == (resolution, whole.area, whole.over_area)


def test_many_tenants_are_answered_at_once_and_apart(rows: ClickHouseRows, store: ClickHouseStore) -> None:
    for number in range(5):
        _write(rows, f"t{number}", [(BEGIN_S + 10 * number, 10 * number, 20)])
    names = [f"t{number}" for number in range(6)]
    found = store.recorded(names, _at(BEGIN_S), _at(BEGIN_S + 3_600))
    assert names == list(found)
    assert [0, 10, 20, 30, 40] == [found[name].stretch.last.licensed for name in names[:5]]  # type: ignore[union-attr]
    assert found["t5"].stretch is None
    assert names[:5] == store.tenants_on_record(_at(BEGIN_S + 41))


def test_the_level_at_an_instant_is_what_held_just_before_it(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    noon = BEGIN_S + 12 * 3_600
    _write(rows, "late", [(noon - 20 * DAY_S, 5, 10)])
    _write(rows, "moves", [(noon - 60, 7, 10), (noon - 1, 8, 10), (noon, 9, 10)])
    _write(rows, "after", [(noon, 1, None)])
    for table in (None, "license_counts"):
        if table:
            _close(pool, noon)
            with pool.lease() as client:
                client.command(f"TRUNCATE TABLE {table}")
        found = store.levels(["late", "moves", "after"], _at(noon))
        assert {"late": 5, "moves": 8} == {tenant: then.level.licensed for tenant, then in found.items()}
        assert 31 == found["moves"].level.enabled
        assert [8, 0, 0, 0, 0] == list(found["moves"].level.counted)
        assert len(FACTORS) == len(found["moves"].level.matched)


def test_seats_are_gained_and_lost_under_the_factors_of_their_time(
    rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    def told(subject: str, rev: int, at: int, old: int | None, new: int) -> Any:
        when = at - to_ms(_at(0)) // 1_000 - 1_790_000_000
        return change(subject, rev, at=float(when), old_profile=old, new_profile=new, tenant="contoso")

    switched = BEGIN_S + 1_000
    rows.insert("seat_changes", [encode(each) for each in (
        told("user:a", 1, BEGIN_S - 5, None, 1),  # before the period
        told("user:b", 1, BEGIN_S + 5, None, 1),  # gained
        told("user:c", 1, BEGIN_S + 6, None, 8),  # gained: the factor is on
        told("user:b", 2, BEGIN_S + 9, 1, 2),  # moved
        told("user:d", 1, switched + 5, None, 8),  # not counted: the factor is off
        told("user:b", 3, switched + 6, 2, 0),  # lost
    )])  # fmt: skip
    enabled = {"contoso": [(_at(0), 31), (_at(switched), 31 & ~8)]}
    assert {"contoso": (2, 1)} == store.seat_moves(_at(BEGIN_S), _at(BEGIN_S + DAY_S), enabled)
