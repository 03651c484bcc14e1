"""Owns the User License Audit of a tenant: every field of the vendor's screen under its own name, live."""

from fastapi import Request
from nicegui import ui

from portal.web.audit.factor_table import FactorTable
from portal.web.audit.freshness import Freshness
from portal.web.audit.open_alerts import OpenAlerts
from portal.web.audit.pool_figures import PoolFigures
from portal.web.audit.recent_changes import RecentChanges
from portal.web.audit.refresh_button import refresh_button
from portal.web.frame import shell
from portal.web.frame.visit import follow, visit_of
from portal.web.pieces.history_choice import history_choice
from schemas.count import Count


@ui.page("/tenants/{tenant}")
async def audit(request: Request, tenant: str) -> None:
    """The User License Audit."""
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "License Audit"):
        OpenAlerts(here, tenant)
        pool = PoolFigures(here, tenant)
        with ui.element("div").classes("toolbar"):
            refresh_button(here, tenant)
            history_choice(tenant)
            ui.link("Seats that could be freed", f"/tenants/{tenant}/reclaim")
        factors = FactorTable(here, tenant)
        recent = RecentChanges(here, tenant)
        freshness = Freshness(here, tenant)

        def show(count: Count) -> None:
            pool.show(count)
            factors.show(count)
            recent.show(count)
            freshness.show(count)

        # Before anything is waited for: a page with timers is sent at the first wait, and would arrive without figures.
        show(here.context.count_of(tenant))
        follow(here, tenant, show)
        await recent.load()
