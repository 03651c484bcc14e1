"""Owns the history of a tenant: its figures over a range of time as a chart, in short, and to take away."""

from typing import Annotated

from fastapi import Query, Request
from nicegui import background_tasks, ui

from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import visit_of
from portal.web.history.forecast import ForecastSection
from portal.web.history.view import HistoryView
from portal.web.pieces.time_ranges import AUTO, AskedRange

_DEFAULT = "30d"


@ui.page("/tenants/{tenant}/history")
async def history(
    request: Request,
    tenant: str,
    start: Annotated[str, Query(alias="from", max_length=64)] = _DEFAULT,
    end: Annotated[str, Query(alias="to", max_length=64)] = "",
    step: Annotated[str, Query(max_length=16)] = AUTO,
    view: str = "total",
) -> None:
    """History."""
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "History"):
        ui.link("Monthly reports", f"/tenants/{tenant}/reports")
        shown = HistoryView(here, tenant, AskedRange(start, end, step), "factors" if view == "factors" else "total")
        foreseen = ForecastSection(here, tenant)
        await soon(shown.load())
        background_tasks.create(foreseen.load(), name="forecast", context=ui.context.client)
        # Not before: a page with timers is sent at the first wait, and would arrive without its figures.
        shown.live()
