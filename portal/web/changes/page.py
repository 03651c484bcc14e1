"""Owns the page of changes: who and what moved between factors and why, and who changed which setting."""

import asyncio
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from nicegui import ui

from portal.web.changes.change_filter import FILTER_FACTORS, KINDS, ChangeFilter
from portal.web.changes.change_list import ChangeList
from portal.web.changes.settings_audit import PLACE, SettingsAudit
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import follow, visit_of
from portal.web.pieces.time_ranges import AskedRange, RangeChoice

_DEFAULT = "7d"


@ui.page("/tenants/{tenant}/changes")
async def changes(
    request: Request,
    tenant: str,
    start: Annotated[str, Query(alias="from", max_length=64)] = _DEFAULT,
    end: Annotated[str, Query(alias="to", max_length=64)] = "",
    kind: str = "",
    factor: str = "",
) -> None:
    """Changes."""
    here = visit_of(request, tenant)
    asked, wanted = AskedRange(start, end), ChangeFilter.asked(kind, factor)
    with shell.tenant_page(here, tenant, "Changes"):

        async def show(new: AskedRange) -> None:
            found.range, found.filter = new, ChangeFilter(kinds.value, factors.value)
            query = new.query() | found.filter.query()
            ui.navigate.history.replace(f"/tenants/{tenant}/changes?{urlencode(query)}")
            await found.load()

        async def narrow() -> None:
            await show(found.range)

        RangeChoice(asked, show, "Show")
        with ui.element("div").classes("toolbar"):
            kinds = ui.select(KINDS, value=wanted.kind, label="Kind", on_change=narrow)
            factors = ui.select(FILTER_FACTORS, value=wanted.factor, label="Factor", on_change=narrow)
            for choice in (kinds, factors):
                choice.props("dense outlined options-dense").classes("choice")
            ui.link("Settings audit", f"#{PLACE}")
        found = ChangeList(here, tenant, asked, wanted)
        audit = SettingsAudit(here, tenant)

        async def load() -> None:
            await asyncio.gather(found.load(), audit.load())

        await soon(load())
        follow(here, tenant, lambda count: found.moved(count.version))
