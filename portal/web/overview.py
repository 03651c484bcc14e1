"""Owns the overview: all tenants that the visitor may see, live."""

from fastapi import Request
from nicegui import ui

from portal.web import shell
from portal.web.visit import visit


@ui.page("/")
async def overview(request: Request) -> None:
    """Tenants."""
    here = visit(request)
    with shell.page(here, "Overview"):
        for tenant in sorted(here.context.services.live.counts()):
            ui.link(tenant, f"/tenants/{tenant}")
