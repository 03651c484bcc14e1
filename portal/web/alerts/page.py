"""Owns the page of alerts: what is open, of all tenants or of one; of one also what there was."""

from fastapi import Request
from nicegui import ui

from portal.web.alerts.alert_history import AlertHistory
from portal.web.alerts.alert_list import AlertList
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import visit, visit_of


@ui.page("/alerts")
async def alerts(request: Request, tenant: str = "") -> None:
    """Alerts."""
    if not tenant:
        here = visit(request)
        here.require_ready()
        with shell.page(here, "Alerts"):
            AlertList(here, None).begin()
        return
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "Alerts"):
        ui.link("Alerts of all tenants", "/alerts")
        AlertList(here, tenant).begin()
        history = AlertHistory(here, tenant)
        await soon(history.load())
