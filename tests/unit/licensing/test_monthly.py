"""The figures of a billing report are those that docs/reports.md works out by hand."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from licensing.reports.monthly import usage_of
from licensing.reports.usage import Level, Stretch, joined, moment, over_period

DOCUMENT = (Path(__file__).parents[3] / "docs/reports.md").read_text("utf-8")
ROW = re.compile(r"^\| (before|2026-10-\d\d \d\d:\d\d) \| (\d+) \| (\d+) \|", re.MULTILINE)
FIGURE = re.compile(r"^\| (Peak|Average|Last|Pool at the end|Overage \w+(?: \w+)?) \| ([\d.]+)", re.MULTILINE)
START, END = (int(datetime(2026, month, 1, tzinfo=UTC).timestamp()) for month in (10, 11))


def _level(licensed: int, pool: int | None) -> Level:
    return Level(licensed, pool, 0, 0, 31, [licensed, 0, 0, 0, 0], [0] * 5)


def _second(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


def _of_the_document() -> Stretch:
    rows = ROW.findall(DOCUMENT)
    assert 5 == len(rows)
    (_, licensed, pool), *later = rows
    stretch: Stretch | None = None
    for at, licences, acquired in later:
        here = moment(_second(at), _level(int(licences), int(acquired)))
        stretch = here if stretch is None else joined(stretch, here)
    whole = over_period(_level(int(licensed), int(pool)), stretch, START, END)
    assert whole is not None
    return whole


def test_the_example_that_is_worked_by_hand_is_what_is_computed() -> None:
    usage = usage_of(_of_the_document())
    told = dict(FIGURE.findall(DOCUMENT))
    assert {
        "Peak": "14",
        "Average": "11.04",
        "Last": "14",
        "Pool at the end": "15",
        "Overage hours": "60.0",
        "Overage seat hours": "168.0",
    } == told
    assert told == {
        "Peak": str(usage.peak),
        "Average": str(usage.average),
        "Last": str(usage.last),
        "Pool at the end": str(usage.pool),
        "Overage hours": str(usage.overage_hours),
        "Overage seat hours": str(usage.overage_seat_hours),
    }
    assert _second("2026-10-20 00:00") == usage.peak_at
    assert (14, 11.04) == (usage.factors["direct_routing"].last, usage.factors["direct_routing"].average)
    assert usage.overage_is_exact


def test_a_tenant_without_a_pool_has_no_overage() -> None:
    whole = over_period(_level(5, None), None, START, END)
    assert whole is not None
    usage = usage_of(whole)
    assert (None, None, 5.0) == (usage.overage_hours, usage.overage_seat_hours, usage.average)


def test_a_pool_of_which_all_is_used_is_not_exceeded() -> None:
    whole = over_period(_level(5, 5), None, START, END)
    assert whole is not None
    assert (0.0, 0.0) == (usage_of(whole).overage_hours, usage_of(whole).overage_seat_hours)


def test_the_average_of_a_tenant_that_began_late_begins_with_it() -> None:
    half = (START + END) // 2
    whole = over_period(None, joined(moment(half, _level(4, 5)), moment(half + 3_600, _level(8, 5))), START, END)
    assert whole is not None
    assert half == usage_of(whole).covered_from
    assert usage_of(whole).average == pytest.approx(8, abs=0.05)


def test_a_count_that_is_as_old_as_the_report_is_its_own_average() -> None:
    whole = over_period(None, moment(END, _level(7, None)), START, END)
    assert whole is not None
    assert 7.0 == usage_of(whole).average
