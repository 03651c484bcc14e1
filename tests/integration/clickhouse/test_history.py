"""Ranges of counts against a plain oracle: a list of (second, licensed), read second by second."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

import pytest
from msgspec.json import encode

from portal.store.store import ClickHouseStore
from runtime.clickhouse.pool import ClientPool
from runtime.clickhouse.seed import seed_history
from schemas.count import Count
from schemas.times import from_ms, to_ms
from streams.sink import rollup
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger, decode_count
from streams.sink.rollup import roll_up
from tests.support.sinking import count

DAY_S = 86_400
BEGIN_S = 1_790_035_200 // DAY_S * DAY_S


@dataclass
class History:
    """Counts of a tenant, and what they say of any second."""

    tenant: str = "contoso"
    values: list[tuple[int, int]] = field(default_factory=list)

    def counts(self) -> list[Count]:
        return [
            count(self.tenant, number + 1, _at(second), licensed)
            for number, (second, licensed) in enumerate(self.values)
        ]

    def bucket(self, begin: int, end: int) -> tuple[int, int, int, float] | None:
        """Return min, max, last, avg of [begin, end)."""
        before = [value for second, value in self.values if second <= begin]
        inside = [(second, value) for second, value in self.values if begin < second < end]
        # Of counts of one second the last holds; all of them take part in the extremes.
        steps = ([(begin, before[-1])] if before else []) + inside
        if not steps:
            return None
        at_begin = [value for second, value in self.values if second == begin]
        seen = [value for _, value in steps] + at_begin
        if at_begin:
            seen = at_begin + [value for _, value in inside]
        area = sum(
            value * (then - second) for (second, value), (then, _) in zip(steps, [*steps[1:], (end, 0)], strict=True)
        )
        return min(seen), max(seen), steps[-1][1], area / (end - steps[0][0])


def _at(second: int) -> datetime:
    return from_ms(second * 1_000)


def _store_counts(rows: ClickHouseRows, counts: list[Count]) -> None:
    ledger = CountLedger()
    taken = [ledger.take(decode_count(each.model_dump_json().encode())) for each in counts]
    rows.insert("license_counts", [encode(row) for row in taken if row is not None])


def _walk(seed: int, span_s: int, steps: int) -> History:
    random = Random(seed)
    seconds = sorted(BEGIN_S + random.randrange(span_s) for _ in range(steps))
    return History(values=[(second, random.randrange(1_000)) for second in seconds])


def _check(store: ClickHouseStore, history: History, start: int, end: int, step_s: int) -> None:
    found = {to_ms(bucket.at) // 1_000: bucket for bucket in store.buckets("contoso", _at(start), _at(end), step_s)}
    expected = {
        begin: bucket
        for begin in range(start // step_s * step_s, end, step_s)
        if (bucket := history.bucket(begin, begin + step_s)) is not None
    }
    assert list(expected) == list(found)
    for begin, (low, high, last, average) in expected.items():
        answer = found[begin]
        assert (low, high, last) == (answer.min, answer.max, answer.last), begin
        assert average == pytest.approx(answer.avg), begin
        assert last == answer.factors["direct_routing"]["counted"]


@pytest.mark.parametrize("seed", range(3))
def test_raw_steps_say_what_the_counts_said(rows: ClickHouseRows, store: ClickHouseStore, seed: int) -> None:
    history = _walk(seed, 3_600, 200)
    _store_counts(rows, history.counts())
    for start, end, step_s in ((0, 3_600, 60), (-600, 4_000, 300), (1_234, 2_345, 1), (3_700, 3_900, 60)):
        _check(store, history, BEGIN_S + start, BEGIN_S + end, step_s)


@pytest.mark.parametrize("seed", range(3))
def test_closed_buckets_say_what_the_raw_rows_said(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore, seed: int
) -> None:
    history = _walk(seed, 9 * DAY_S, 300)
    _store_counts(rows, history.counts())
    ranges = (
        (0, 9 * DAY_S, 3_600),
        (5_000, 8 * DAY_S, 10_800),
        (-2 * DAY_S, 10 * DAY_S, DAY_S),
        (0, 9 * DAY_S, 7 * DAY_S),
    )
    for rolled in (False, True):
        if rolled:
            _force_closed(pool, BEGIN_S + 5 * DAY_S)
        for start, end, step_s in ranges:
            _check(store, history, BEGIN_S + start, BEGIN_S + end, step_s)


def _force_closed(pool: ClientPool, closed: int) -> None:
    """Compute closed buckets up to an instant: those before it answer, raw rows from there on."""
    for resolution in rollup.RESOLUTIONS:
        with pool.lease() as client:
            rollup.compute(client, resolution, rollup.Window(since=0, closed_before=0, closed=closed), through=closed)


@pytest.mark.parametrize("closed_days", [0, 2, 5, 12])
def test_sparklines_say_what_the_buckets_said(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore, closed_days: int
) -> None:
    # 3 days of counts, a week of silence, 2 days more: days without rows, and tenants that begin within the range.
    quiet = [
        (second + (7 * DAY_S if second >= BEGIN_S + 3 * DAY_S else 0), licensed)
        for second, licensed in _walk(4, 5 * DAY_S, 60).values
    ]
    late = History("fabrikam", [(second + 4 * DAY_S, licensed) for second, licensed in _walk(5, DAY_S, 30).values])
    for history in (History("contoso", quiet), late):
        _store_counts(rows, history.counts())
    if closed_days:
        _force_closed(pool, BEGIN_S + closed_days * DAY_S)
    for start, end, step_s in ((0, 10, DAY_S), (4, 10, DAY_S), (6, 9, DAY_S), (2, 12, 5 * DAY_S), (4, 6, 3 * 3_600)):
        begin, until = _at(BEGIN_S + start * DAY_S), _at(BEGIN_S + end * DAY_S)
        expected = {
            tenant: [bucket.max for bucket in store.buckets(tenant, begin, until, step_s)]
            for tenant in ("contoso", "fabrikam")
        }
        found = store.sparklines(["contoso", "fabrikam", "nobody"], begin, until, (end - start) * DAY_S // step_s)
        assert {tenant: line for tenant, line in expected.items() if line} == found, (start, end, step_s)


def test_buckets_are_computed_again_when_rows_come_late_and_a_repeat_changes_nothing(
    pool: ClientPool, rows: ClickHouseRows
) -> None:
    past = History(values=[(BEGIN_S - 400 * DAY_S + n * 600, n % 50) for n in range(500)])
    counts = past.counts()
    _store_counts(rows, counts[:200])
    assert 2 == roll_up(pool)
    assert _last_hour(pool) < counts[-1].computed_at
    _store_counts(rows, counts)
    roll_up(pool)
    once = _all_hours(pool)
    roll_up(pool)
    assert once == _all_hours(pool)
    assert to_ms(counts[-1].computed_at) // 3_600_000 * 3_600 == once[-1][0]


def _last_hour(pool: ClientPool) -> datetime:
    return _at(_all_hours(pool)[-1][0])


def _all_hours(pool: ClientPool) -> list[tuple[Any, ...]]:
    with pool.lease() as client:
        return [
            tuple(row)
            for row in client.query(
                "SELECT toUnixTimestamp(at), min, max, avg, currently_licensed"
                " FROM license_counts_hourly FINAL ORDER BY at"
            ).result_rows
        ]


def test_the_same_rows_twice_are_the_same_history(rows: ClickHouseRows, store: ClickHouseStore) -> None:
    counts = _walk(9, 3_600, 50).counts()
    _store_counts(rows, counts)
    once = store.buckets("contoso", _at(BEGIN_S), _at(BEGIN_S + 3_600), 60)
    _store_counts(rows, counts)
    assert once == store.buckets("contoso", _at(BEGIN_S), _at(BEGIN_S + 3_600), 60)


def test_nothing_lies_beyond_now(pool: ClientPool, rows: ClickHouseRows) -> None:
    now = _at(BEGIN_S + 90)
    _store_counts(rows, [count("contoso", 1, _at(BEGIN_S), 10)])
    found = ClickHouseStore(pool, lambda: now).buckets("contoso", _at(BEGIN_S), _at(BEGIN_S + 600), 60)
    assert [_at(BEGIN_S), _at(BEGIN_S + 60)] == [bucket.at for bucket in found]


def test_tenants_do_not_see_each_other(rows: ClickHouseRows, store: ClickHouseStore) -> None:
    _store_counts(rows, [count("contoso", 1, _at(BEGIN_S), 10), count("fabrikam", 1, _at(BEGIN_S), 99)])
    for step_s in (60, 3_600, DAY_S):
        assert {10} == {each.max for each in store.buckets("contoso", _at(BEGIN_S), _at(BEGIN_S + DAY_S), step_s)}
        assert [] == store.buckets("nobody", _at(BEGIN_S), _at(BEGIN_S + DAY_S), step_s)


def test_seeded_history_says_that_it_is_demo_data(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    begin = BEGIN_S - 300 * DAY_S
    seeded = [count("contoso", n + 1, _at(begin + n * 7_200), n) for n in range(48)]
    assert 48 == seed_history(pool, seeded)
    live = [count("contoso", 1, _at(BEGIN_S), 10)]
    _store_counts(rows, live)
    demo = store.buckets("contoso", _at(begin), _at(begin + 4 * DAY_S), DAY_S)
    assert [True] * 4 == [bucket.demo for bucket in demo]
    assert [11, 23, 35, 47] == [bucket.max for bucket in demo][:4] or [11, 23, 35, 47] == [
        bucket.last for bucket in demo
    ]
    assert [11, 23, 35, 47] == store.sparklines(["contoso"], _at(begin), _at(begin + 4 * DAY_S), 4)["contoso"]
    assert [False] == [bucket.demo for bucket in store.buckets("contoso", _at(BEGIN_S), _at(BEGIN_S + 60), 60)]
