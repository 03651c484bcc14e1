"""Owns the monthly report on its page: the sheet as tables, and its files."""

from typing import Any, get_args

import clickhouse_connect.driver.exceptions as clickhouse
import msgspec
from nicegui import ui

from portal.answers.report_files import Form, file_of
from portal.answers.report_periods import parse_month
from portal.answers.report_sheet import Table, monthly_sheet
from portal.answers.reports import monthly
from portal.web.frame.visit import Visit
from portal.web.pieces.text import Text, figure_cell, heading, table, tag

_AWAY = "Reports cannot be read from ClickHouse now: check that it runs, then choose the month again."
_GONE = "The tenant was removed before this month: choose an earlier one."


class MonthlyView:
    """What a tenant used in `month`; `load` shows it."""

    def __init__(self, here: Visit, tenant: str, month: str) -> None:
        self._here, self._tenant = here, tenant
        self.month = month
        self._report: dict[str, Any] | None = None
        self._asked = 0
        with ui.element("div").classes("line"):
            self._gifts = [self._gift(form) for form in get_args(Form)]
        self._state = Text("p", "Reading …").props('role=status data-testid="report notes"')
        self._tables = ui.element("div").style("display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr)")

    def _gift(self, form: Form) -> ui.button:
        name = form.upper()

        async def give() -> None:
            await self._give(form)

        return ui.button(name, on_click=give).props(f'outline aria-label="Download as {name}"')

    async def load(self) -> None:
        """Read the report of the month, and show it."""
        self._asked += 1
        mine, context = self._asked, self._here.context
        month = parse_month(self.month, context.now())
        try:
            found = await context.read(lambda: monthly(context.services.store, [self._tenant], month))
        except clickhouse.ClickHouseError:
            found, wrong = [], _AWAY
        else:
            wrong = _GONE
        # An answer to an older question must not replace that to a newer one.
        if mine == self._asked:
            self._show(found[0] if found else None, wrong)

    def _show(self, report: dict[str, Any] | None, wrong: str) -> None:
        self._report = report
        for gift in self._gifts:
            gift.set_enabled(report is not None)
        self._tables.clear()
        self._state.classes(add="" if report else "over", remove="over" if report else "")
        if report is None:
            self._state.set_text(wrong)
            return
        sheet = monthly_sheet(report)
        self._state.set_text(" ".join(sheet.notes))
        with self._tables:
            for one in sheet.tables:
                heading(one.title)
                _draw(one)

    async def _give(self, form: Form) -> None:
        report = self._report
        if report is None:
            return
        name = f"{self._tenant}-{report['month']}.{form}"
        if form == "json":
            ui.download.content(msgspec.json.encode(report), name, "application/json")
            return
        content, media_type = await self._here.context.read(lambda: file_of(report, form))
        ui.download.content(content, name, media_type)


def _draw(one: Table) -> None:
    with table(one.title, one.columns, numbers=one.columns[1:] if one.numbers else ()) as body, body:
        for row in one.rows:
            with tag("tr"):
                Text("th", row[0]).props("scope=row")
                for cell in row[1:]:
                    figure_cell(cell) if one.numbers else Text("td", cell)
