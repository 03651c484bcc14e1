"""Reports in words, and how those of many tenants are read: some at a time, and no more than is taken."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from licensing.reports.usage import Level, moment
from portal.access.principals import LOCAL, Principal
from portal.answers.report_files import file_of
from portal.answers.report_lines import headed, json_head, json_items
from portal.answers.report_periods import Month, parse_month
from portal.answers.report_sheet import monthly_sheet
from portal.answers.reports import AT_ONCE, monthly, monthly_of_all
from portal.ports import Recorded, SettingsRevision

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OCTOBER = parse_month("2026-10", NOW)
HOSTILE = '<img src=x onerror=alert(1)> & "Söhne" Ж 😀'


class MemoryStore:
    """Tenants `t0000`… that use 5 of 10, and what was asked of them."""

    def __init__(self, tenants: int, name: str | None = None) -> None:
        self._tenants, self._name = tenants, name
        self.read: list[int] = []

    def tenants_on_record(self, end: datetime) -> list[str]:
        return [f"t{number:04}" for number in range(self._tenants)]

    def closed_at(self) -> datetime:
        return OCTOBER.end

    def settings_histories(self, tenants: Sequence[str]) -> Mapping[str, list[SettingsRevision]]:
        at = datetime(2026, 10, 5, tzinfo=UTC)
        return {
            tenant: [
                SettingsRevision(1, at, "ana", {"tenant": tenant, "acquired_licenses": 10, "display_name": self._name})
            ]
            for tenant in tenants
            if tenant != "_provider"
        }

    def recorded(self, tenants: Sequence[str], start: datetime, end: datetime) -> Mapping[str, Recorded]:
        self.read.append(len(tenants))
        level = Level(5, 10, 5, 5, 31, [5, 0, 0, 0, 0], [5, 0, 0, 0, 0])
        stretch = moment(int(start.timestamp()), level)
        return {tenant: Recorded(None, stretch, "second", demo=False) for tenant in tenants}

    def seat_moves(self, *_: Any) -> Mapping[str, tuple[int, int]]:
        return {}


def _context(store: MemoryStore) -> Any:
    async def read(call: Any) -> Any:
        return call()

    return SimpleNamespace(services=SimpleNamespace(store=store), read=read)


def _report(month: Month = OCTOBER, name: str | None = HOSTILE) -> dict[str, Any]:
    store: Any = MemoryStore(1, name)
    return monthly(store, ["t0000"], month)[0]


async def test_tenants_are_read_some_at_a_time_and_only_as_they_are_taken() -> None:
    store = MemoryStore(2 * AT_ONCE + 1)
    portions = monthly_of_all(_context(store), LOCAL, OCTOBER)
    assert AT_ONCE == len(await anext(portions))
    assert [AT_ONCE] == store.read
    assert [AT_ONCE, 1] == [len(more) async for more in portions]


async def test_a_role_of_some_tenants_gets_those_alone() -> None:
    store = MemoryStore(20)
    viewer = Principal("eve", "tenant_viewer", frozenset({"t0003", "t0017", "elsewhere"}))
    found = [
        report["tenant"] async for portion in monthly_of_all(_context(store), viewer, OCTOBER) for report in portion
    ]
    assert ["t0003", "t0017"] == found
    assert [2] == store.read


async def test_an_empty_list_is_json_all_the_same() -> None:
    portions = monthly_of_all(_context(MemoryStore(0)), LOCAL, OCTOBER)
    text = "".join([part async for part in headed(json_head({"month": "2026-10"}), json_items(portions))])
    assert '{"month":"2026-10","items":[]}' == text


def test_the_sheet_says_whether_a_month_is_open() -> None:
    assert not any("not closed" in note for note in monthly_sheet(_report()).notes)
    november = parse_month("2026-11", NOW)
    assert "This period is not closed: the figures may still change." in monthly_sheet(_report(november)).notes


def test_a_setting_that_does_not_bear_on_the_count_is_in_no_report() -> None:
    (change,) = _report()["settings_changes"]
    assert ["acquired_licenses"] == [part["setting"] for part in change["changes"]]
    assert "by" not in change


def test_a_name_is_never_taken_for_html() -> None:
    text, _ = file_of(_report(), "html")
    assert isinstance(text, str)
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; &quot;Söhne&quot; Ж 😀" in text


@pytest.mark.filterwarnings("error")
def test_a_pdf_is_made_of_any_name_twice_the_same() -> None:
    first, media_type = file_of(_report(), "pdf")
    assert ("application/pdf", first) == (media_type, file_of(_report(), "pdf")[0])


def test_a_formula_in_a_name_is_disarmed_in_the_csv() -> None:
    text, _ = file_of(_report(name="=1+1"), "csv")
    assert isinstance(text, str)
    assert ",'=1+1," in text
