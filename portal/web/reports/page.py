"""Owns the page of reports: what a tenant used in a month, to read and to take away."""

from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from portal.answers.ranges import RangeError
from portal.answers.report_periods import latest_months, parse_month
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import visit_of
from portal.web.pieces.text import Text
from portal.web.reports.monthly_view import MonthlyView

_SHOWN = 24


@ui.page("/tenants/{tenant}/reports")
async def reports(request: Request, tenant: str, month: str = "") -> None:
    """Reports."""
    here = visit_of(request, tenant)
    now = here.context.now()
    refused = ""
    try:
        asked = parse_month(month or None, now).name
    except RangeError as error:
        asked, refused = parse_month(None, now).name, str(error)
    names = latest_months(now, _SHOWN)
    with shell.tenant_page(here, tenant, "Reports"):
        if refused:
            Text("p", f"The month in the address cannot be shown: {refused}.").classes("warn")

        async def pick() -> None:
            view.month = choice.value
            ui.navigate.history.replace(f"/tenants/{tenant}/reports?{urlencode({'month': choice.value})}")
            await view.load()

        with ui.element("div").classes("toolbar"):
            choice = ui.select(
                sorted({asked, *names}, reverse=True), value=asked, label="Month (UTC)", on_change=pick
            ).props("dense outlined options-dense")
            choice.classes("choice")
        view = MonthlyView(here, tenant, asked)
        await soon(view.load())
