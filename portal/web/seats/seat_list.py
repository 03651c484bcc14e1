"""Owns the table of seats: a page at a time from the store, searched there, with the way to each explanation."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.exports import seats_csv
from portal.answers.seats import list_seats
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import NONE, LocalTime
from portal.web.pieces.text import Text, table, tag
from portal.web.pieces.words import short_factor_label
from portal.web.seats.seat_words import none_found
from schemas.times import format_time, parse_time

_ON_A_PAGE = 50
_COLUMNS = ("Subject", "User principal name", "Counted at", "Since", "Matches")
_AWAY = (
    "Seats cannot be read from ClickHouse now: check that it runs, then read again. The live figures above are not"
    " concerned."
)


class SeatList:
    """The seats of one filter at an instant (`at`, None = now)."""

    def __init__(self, here: Visit, tenant: str, factor: str, at: datetime | None) -> None:
        self._here, self._tenant = here, tenant
        self.factor, self.at = factor, at
        self._search = ""
        self._starts: list[str] = [""]
        self._following = ""
        self._asked = 0
        self._version: int | None = None
        with ui.element("div").classes("toolbar"):
            self._state = Text("p").props('role=status data-testid="seats shown"')
            self._again = ui.button("Read again", on_click=self._read).props("flat dense")
        with table("Seats", _COLUMNS) as self._rows:
            pass
        with ui.element("nav").classes("toolbar").props('aria-label="Pages of seats"'):
            self._back = ui.button("Previous", on_click=self._previous).props("outline")
            self._on = ui.button("Next", on_click=self._next).props("outline")
            ui.space()
            ui.button("Download all as CSV", on_click=self._download).props("flat")

    async def begin_again(self) -> None:
        """Show the first page of what is asked for now."""
        self._starts = [""]
        await self._read()

    async def search(self, text: str) -> None:
        """Show only what holds a text in its id or a name."""
        self._search = text.strip()
        await self.begin_again()

    def moved(self, version: int) -> None:
        """Offer to read again once the count has moved; rows never move under the reader's eyes by themselves."""
        if self._version is None:
            self._version = version
        if self.at is None and version > self._version:
            self._again.set_text("The count has moved: read again")
            self._again.set_visibility(True)

    async def _previous(self) -> None:
        self._starts.pop()
        await self._read()

    async def _next(self) -> None:
        self._starts.append(self._following)
        await self._read()

    async def _read(self) -> None:
        self._asked += 1
        mine = self._asked
        self._state.set_text("Reading …")
        self._version = self._here.context.count_of(self._tenant).version
        try:
            found = await self._here.context.read(self._found)
        except clickhouse.ClickHouseError:
            if mine == self._asked:
                self._show_away()
            return
        # An answer to an older question must not replace that to a newer one.
        if mine == self._asked:
            self._show(found)

    async def _download(self) -> None:
        # Through the socket: a link to the API would carry what is searched for, a name maybe, in its address.
        lines = seats_csv(self._here.context, self._tenant, at=self.at, factor=self.factor, search=self._search or None)
        try:
            found = "".join([part async for part in lines])
        except clickhouse.ClickHouseError:
            self._show_away()
            return
        ui.download.content(found, f"{self._tenant}-seats.csv", "text/csv")

    def _found(self) -> list[dict[str, Any]]:
        context = self._here.context
        return list_seats(
            context.services.store, self._tenant, context.masks_of(self._tenant),
            at=self.at, factor=self.factor, search=self._search or None, after=self._starts[-1], limit=_ON_A_PAGE + 1,
        )  # fmt: skip

    def _show_away(self) -> None:
        self._rows.clear()
        self._state.set_text(_AWAY)
        self._state.classes(add="over")
        self._offer(again=True, back=False, on=False)

    def _show(self, found: list[dict[str, Any]]) -> None:
        here, more = found[:_ON_A_PAGE], len(found) > _ON_A_PAGE
        self._following = here[-1]["subject"] if here else ""
        self._state.set_text(self._summary(len(here), more))
        self._state.classes(remove="over")
        self._offer(again=False, back=len(self._starts) > 1, on=more)
        self._rows.clear()
        with self._rows:
            for seat in here:
                self._row(seat)

    def _offer(self, *, again: bool, back: bool, on: bool) -> None:
        self._again.set_text("Read again")
        self._again.set_visibility(again)
        # Both stay in their place, so that the focus does as well; they go only where there is one page.
        for button, possible in ((self._back, back), (self._on, on)):
            button.set_visibility(back or on)
            button.set_enabled(possible)

    def _summary(self, shown: int, more: bool) -> str:
        if not shown:
            return none_found(self.factor, self._search, past=self.at is not None)
        first = (len(self._starts) - 1) * _ON_A_PAGE + 1
        return f"{first:,} to {first + shown - 1:,}" + (", with more to follow" if more else ", the last of them")

    def _row(self, seat: dict[str, Any]) -> None:
        with tag("tr"):
            with Text("th").props("scope=row").classes("plain"):
                ui.link(seat["display_name"] or seat["subject"], seat_address(self._tenant, seat["subject"], self.at))
                if seat["display_name"]:
                    Text("div", seat["subject"]).classes("faint small")
            Text("td", seat["user_principal_name"] or NONE)
            Text("td", short_factor_label(seat["factor"])).classes("whole")
            with tag("td"):
                LocalTime(parse_time(seat["since"]) if seat["since"] else None, NONE)
            Text("td", ", ".join(short_factor_label(name) for name in seat["matched"]) or NONE).classes("small")


def seat_address(tenant: str, subject: str, at: datetime | None) -> str:
    """Return where a seat is explained, now or at an instant."""
    path = f"/tenants/{tenant}/seats/{quote(subject, safe=':+,@')}"
    return f"{path}?at={format_time(at)}" if at else path
