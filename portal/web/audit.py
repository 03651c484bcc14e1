"""Owns the User License Audit of a tenant: every field of the vendor's screen under its own name, live."""

from fastapi import Request
from nicegui import ui

from portal.web import shell
from portal.web.figures import LiveNumber, licences
from portal.web.visit import follow, visit_of
from schemas.count import Count


@ui.page("/tenants/{tenant}")
async def audit(request: Request, tenant: str) -> None:
    """The User License Audit."""
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "License Audit"):
        licensed = LiveNumber()

        def show(count: Count) -> None:
            licensed.show(licences(count.currently_licensed))

        show(here.context.count_of(tenant))
        follow(here, tenant, show)
