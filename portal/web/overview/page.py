"""Owns the overview: all tenants that the visitor may see, searched, filtered and sorted by the server, live."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request
from nicegui import ui

from portal.answers.tenant_list import Page, Sort, Wanted, find_tenants
from portal.problems import Problem
from portal.web.frame import shell
from portal.web.frame.visit import Visit, follow, follow_alerts, visit
from portal.web.overview.tenant_rows import TenantRows
from portal.web.pieces.text import Text
from portal.web.pieces.words import SHORT_HINTS

_PAGE = 50
_SORTS: dict[Sort, str] = {
    "usage": "Usage, highest first",
    "tenant": "Tenant",
    "licensed": "Currently Licensed, most first",
    "available": "Available, fewest first",
}
_FILTERS = {
    "": "All tenants",
    "over": "Over the pool",
    "alerting": "At their warning limit",
    "stale": "Stale",
    "sync_held": "A sync waits for confirmation",
    "source_failing": "A source fails",
    "few_teams_phone_licences": "Too few Teams Phone licences",
    "no_pool": "No pool is set",
}


@ui.page("/")
async def overview(request: Request) -> None:
    """Tenants."""
    here = visit(request)
    here.require_ready()
    with shell.page(here, "Tenants"):
        await _Overview(here).show()


class _Overview:
    """What is asked for, the page of it that is shown, and the pages before it."""

    def __init__(self, here: Visit) -> None:
        self._here = here
        self._wanted = Wanted(sort="usage")
        self._cursors: list[str | None] = [None]
        self._found = Page([], 0, None)
        with ui.element("div").classes("toolbar"):
            search = ui.input("Search", on_change=lambda event: self._ask(search=event.value or ""))
            search.props('dense outlined clearable debounce=300 type=search aria-label="Search tenants"')
            self._choice(_FILTERS, "", "Show", self._filter)
            self._choice(_SORTS, self._wanted.sort, "Sort by", lambda chosen: self._ask(sort=chosen))
            self._total = Text("span").props("role=status").classes("faint")
        self._rows = TenantRows(here)
        with ui.element("div").classes("toolbar"):
            self._back = ui.button("Previous", on_click=self._previous).props("outline")
            self._on = ui.button("Next", on_click=self._next).props("outline")
        follow(here, None, self._rows.take)
        follow_alerts(here, None, self._rows.take_alerts)

    def _choice(
        self, options: Mapping[Any, str], value: str, label: str, chosen: Callable[[Any], Awaitable[None]]
    ) -> None:
        select = ui.select({**options}, value=value, label=label, on_change=lambda event: chosen(event.value))
        select.props("dense outlined").classes("choice")

    async def _filter(self, chosen: str) -> None:
        await self._ask(
            over_pool=chosen == "over",
            alerting=True if chosen == "alerting" else None,
            stale=True if chosen == "stale" else None,
            hint=chosen if chosen in SHORT_HINTS else None,
        )

    async def _ask(self, **changed: object) -> None:
        self._wanted = replace(self._wanted, **changed)  # type: ignore[arg-type]  # names of its own fields
        self._cursors = [None]
        await self.show()

    async def _next(self) -> None:
        self._cursors.append(self._found.next_cursor)
        await self.show()

    async def _previous(self) -> None:
        self._cursors.pop()
        await self.show()

    async def show(self) -> None:
        """Find the page that is asked for, and show it."""
        try:
            self._found = find_tenants(
                self._here.context, self._wanted, self._here.principal.sees, _PAGE, self._cursors[-1]
            )
        except Problem as problem:
            ui.notify(problem.detail, type="negative")
            return
        if await self._rows.show(self._found.counts):
            self._say_where()

    def _say_where(self) -> None:
        first = (len(self._cursors) - 1) * _PAGE
        shown = f"{first + 1:,} to {first + len(self._found.counts):,} of " if self._found.total > _PAGE else ""
        self._total.set_text(f"{shown}{self._found.total:,} {'tenant' if self._found.total == 1 else 'tenants'}")
        self._back.set_visibility(len(self._cursors) > 1)
        self._on.set_visibility(self._found.next_cursor is not None)
