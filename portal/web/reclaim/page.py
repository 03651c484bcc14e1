"""Owns the page of what could be reclaimed: which seats, for which reason, and what that rests on."""

from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from licensing.reclaim import REASONS, Reason
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import visit_of
from portal.web.pieces.text import Text
from portal.web.reclaim.reclaim_list import REASON_WORDS, ReclaimList

_ALL = ""


@ui.page("/tenants/{tenant}/reclaim")
async def reclaim(request: Request, tenant: str, reason: str = _ALL) -> None:
    """Reclaim."""
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "Reclaim"):
        Text("p", "Seats that are counted and may not be needed. Nothing is changed here: the sources are.")

        async def narrow() -> None:
            query = urlencode({"reason": choice.value} if choice.value else {})
            ui.navigate.history.replace(f"/tenants/{tenant}/reclaim{'?' if query else ''}{query}")
            found.reason = _reason(choice.value)
            await found.begin_again()

        with ui.element("div").classes("toolbar"):
            choice = ui.select(
                {_ALL: "All reasons", **REASON_WORDS}, value=_reason(reason) or _ALL, label="Reason", on_change=narrow
            )
            choice.props("dense outlined options-dense").classes("choice")
        found = ReclaimList(here, tenant, _reason(reason))
        await soon(found.begin_again())


def _reason(text: str) -> Reason | None:
    return text if text in REASONS else None
