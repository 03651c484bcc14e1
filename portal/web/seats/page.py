"""Owns the page of seats: who is counted, at which factor and since when, now or at any instant of the past."""

import asyncio
from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui

from portal.answers.seats import FILTERS
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import follow, visit_of
from portal.web.pieces.instants import InstantChoice, instant_of
from portal.web.pieces.text import Text
from portal.web.seats.seat_figures import SeatFigures
from portal.web.seats.seat_list import SeatList
from schemas.count import Count
from schemas.times import format_time


@ui.page("/tenants/{tenant}/seats")
async def seats(request: Request, tenant: str, factor: str = "counted", at: str = "") -> None:
    """Seats."""
    here = visit_of(request, tenant)
    asked = instant_of(at, here.context.now())
    chosen = factor if factor in FILTERS else "counted"
    with shell.tenant_page(here, tenant, "Seats"):
        if asked.refused:
            Text("p", f"The time in the address was not understood, so this is now: {asked.refused}.").classes("warn")

        async def picked(name: str) -> None:
            found.factor = name
            figures.pick(name)
            await show_anew()

        async def at_instant(text: str) -> None:
            found.at = instant_of(text, here.context.now()).at
            choice.show(found.at)
            await show_anew()

        async def show_anew() -> None:
            query = {"factor": found.factor} | ({"at": format_time(found.at)} if found.at else {})
            ui.navigate.history.replace(f"/tenants/{tenant}/seats?{urlencode(query)}")
            await asyncio.gather(found.begin_again(), figures.load(found.at))

        figures = SeatFigures(here, tenant, chosen, picked)
        with ui.element("div").classes("toolbar"):
            search = ui.input("Search").props(
                'dense outlined clearable debounce=300 aria-label="Search names, principal names and ids"'
            )
            search.classes("search")
            choice = InstantChoice(asked.at, at_instant, "As recorded at")
        found = SeatList(here, tenant, chosen, asked.at)
        search.on_value_change(lambda event: found.search(event.value or ""))

        async def load() -> None:
            await asyncio.gather(found.begin_again(), figures.load(asked.at))

        await soon(load())

        def show(count: Count) -> None:
            figures.show(count)
            found.moved(count.version)

        follow(here, tenant, show)
