"""Owns the page that explains one seat, now or at any instant of the past: verdict, decisions, facts, history."""

import asyncio
from datetime import datetime
from typing import Any

import clickhouse_connect.driver.exceptions as clickhouse
from fastapi import Request
from nicegui import ui

from portal.answers.seats import explain_seat, list_moves
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import Visit, visit_of
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.instants import InstantChoice, instant_of
from portal.web.pieces.text import Text, heading, tag
from portal.web.pieces.words import factor_label
from portal.web.seats.seat_list import seat_address
from portal.web.seats.seat_tables import decisions_table, facts_table, moves_table
from portal.web.seats.seat_words import because, name_of
from schemas.identifiers import is_number, is_user
from schemas.times import format_time, parse_time

_AWAY = "The explanation cannot be read from ClickHouse now: check that it runs, then load this page again."


@ui.page("/tenants/{tenant}/seats/{subject}")
async def seat(request: Request, tenant: str, subject: str, at: str = "") -> None:
    """Explanation."""
    here = visit_of(request, tenant)
    asked = instant_of(at, here.context.now())
    with shell.tenant_page(here, tenant, "Seat"):
        ui.link("All seats", f"/tenants/{tenant}/seats" + (f"?at={format_time(asked.at)}" if asked.at else ""))
        if not (is_user(subject) or is_number(subject)):
            Text("p", "This is no subject: one is user:<id> in lower case, or number:<number>.").classes("warn")
            return
        if asked.refused:
            Text("p", f"The time in the address was not understood, so this is now: {asked.refused}.").classes("warn")
        page = _SeatPage(here, tenant, subject, asked.at)
        await soon(page.load())


class _SeatPage:
    """What is known of a subject at an instant, None = now."""

    def __init__(self, here: Visit, tenant: str, subject: str, at: datetime | None) -> None:
        self._here, self._tenant, self._subject, self._at = here, tenant, subject, at
        with ui.element("div"):
            self._title = heading(subject)
            self._id = Text("span").classes("faint")
        InstantChoice(at, self._go, "As recorded at")
        self._content = ui.element("div").classes("column page-part")
        with self._content:
            Text("p", "Reading …").props("role=status")

    def _go(self, at: str) -> None:
        ui.navigate.to(seat_address(self._tenant, self._subject, parse_time(at) if at else None))

    async def load(self) -> None:
        """Read and show it."""
        context, store = self._here.context, self._here.context.services.store
        try:
            masks = await context.read(lambda: context.masks_of(self._tenant))
            found, moves = await asyncio.gather(
                context.read(lambda: explain_seat(store, self._tenant, self._subject, masks, self._at)),
                # All of them also for a past instant: they are the way forward from it.
                context.read(lambda: list_moves(store, self._tenant, self._subject, masks, None)),
            )
        except clickhouse.ClickHouseError:
            self._content.clear()
            with self._content:
                Text("p", _AWAY).classes("over").props("role=alert")
            return
        self._content.clear()
        with self._content:
            if found is None:
                self._unknown(moves)
            else:
                self._explain(found)
            if found or moves:
                moves_table(self._tenant, self._subject, moves, self._at)

    def _unknown(self, moves: list[dict[str, Any]]) -> None:
        when = " at that instant" if self._at else ""
        Text("p", f"Nothing is known of {self._subject}{when}.").props("role=status")
        if moves and self._at:
            Text("p", "It was known at other times: choose one below, or go back to now.")
        elif self._at:
            Text("p", "It may be known now: go back to now.")
        else:
            Text("p", "It may be another's, be misspelt, or have been removed: look for it among all seats.")

    def _explain(self, found: dict[str, Any]) -> None:
        name = name_of(found)
        if name:
            self._title.set_text(name)
            self._id.set_text(self._subject)
        counted, why = found["factor"] is not None, because(found)
        with tag("p").classes("verdict").props("role=status"):
            Text("strong", "Counted since " if counted else "Not counted since " if found["since"] else "Never counted")
            if found["since"]:
                LocalTime(parse_time(found["since"]))
            Text("span", f" at {factor_label(found['factor'])}, because {why}." if counted else f", because {why}.")
        decisions_table(found["decisions"])
        facts_table(found["facts"])
