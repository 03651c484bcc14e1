"""Counts become a row a second and tenant, the same ones however they are cut into blocks."""

from schemas.count import Count
from schemas.times import to_ms
from streams.sink.counts import CountLedger, CountRow, decode_count
from tests.support.sinking import count, instant


def _offered(ledger: CountLedger, *counts: Count) -> list[CountRow | None]:
    return [ledger.take(decode_count(each.model_dump_json().encode())) for each in counts]


def _taken(ledger: CountLedger, *counts: Count) -> list[CountRow]:
    rows = [row for row in _offered(ledger, *counts) if row is not None]
    assert len(counts) == len(rows)
    return rows


def test_a_row_holds_minimum_maximum_last_and_the_summed_causes_of_its_second() -> None:
    ledger = CountLedger()
    rows = _taken(
        ledger, *(count("contoso", 1 + n, instant(n / 10), licensed) for n, licensed in enumerate((10, 30, 5, 7)))
    )
    row = rows[-1]
    assert (5, 30, 7, 4) == (row.min, row.max, row.currently_licensed, row.subjects_gained)
    assert {row.at} == {each.at for each in rows}


def test_the_next_second_begins_with_its_own_values_and_knows_what_held_before() -> None:
    ledger = CountLedger()
    _, row = _taken(ledger, count("contoso", 1, instant(0), 10), count("contoso", 2, instant(1), 12))
    assert (12, 12, 10, 1) == (row.min, row.max, row.previous, row.subjects_gained)


def test_a_count_that_is_not_newer_is_no_row() -> None:
    ledger = CountLedger()
    newer, same, older = _offered(
        ledger,
        count("contoso", 5, instant(0), 10, epoch=2),
        count("contoso", 5, instant(1), 99, epoch=2),
        count("contoso", 9, instant(2), 99, epoch=1),
    )
    assert newer is not None
    assert [None, None] == [same, older]


def test_a_restarted_ledger_goes_on_in_the_second_where_it_stopped() -> None:
    first = CountLedger()
    before = _taken(first, count("contoso", 1, instant(0), 10), count("contoso", 2, instant(0.2), 40))[-1]
    second = CountLedger()
    second.seed([before])
    repeated, row = _offered(second, count("contoso", 2, instant(0.2), 40), count("contoso", 3, instant(0.4), 20))
    assert repeated is None
    assert row is not None
    assert (10, 40, 20, 3) == (row.min, row.max, row.currently_licensed, row.subjects_gained)


def test_a_counter_with_a_slow_clock_does_not_write_into_the_past() -> None:
    _, row = _taken(CountLedger(), count("contoso", 1, instant(5), 10), count("contoso", 2, instant(3), 12))
    assert to_ms(instant(5)) // 1_000 == row.at


def test_a_quiet_tenant_gets_one_row_an_hour() -> None:
    ledger = CountLedger()
    _taken(ledger, count("contoso", 1, instant(0), 10), count("fabrikam", 1, instant(3_600), 3))
    beats = ledger.heartbeats(instant(3_700))
    assert ["contoso"] == [beat.tenant for beat in beats]
    beat = beats[0]
    assert (10, 10, 10, 10, "heartbeat", 0) == (
        beat.min, beat.max, beat.currently_licensed, beat.previous, beat.cause, beat.subjects_gained,
    )  # fmt: skip
    assert 0 == beat.at % 3_600
    assert [] == ledger.heartbeats(instant(3_701))


def test_tenants_do_not_meet() -> None:
    contoso, fabrikam = _taken(CountLedger(), count("contoso", 1, instant(0), 10), count("fabrikam", 1, instant(0), 3))
    assert (10, None) == (contoso.max, contoso.previous)
    assert (3, None) == (fabrikam.max, fabrikam.previous)
