"""Owns the table of what could be reclaimed: totals, a page at a time, to take away as CSV."""

from typing import Any

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from licensing.reclaim import Reason
from portal.answers.csv_lines import MEDIA_TYPE
from portal.answers.reclaim import FIRST, OLD_DAYS, Place, Reclaim, describe, find_reclaimable, place_of, reclaim_csv
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, figure_cell, table, tag
from portal.web.pieces.words import FACETS, short_factor_label
from portal.web.seats.seat_list import seat_address
from schemas.times import parse_time

REASON_WORDS: dict[str, str] = {
    "disabled_account": "Disabled account",
    "not_in_directory": "Not in the directory",
    "old_hand_change": f"Changed by hand over {OLD_DAYS} days ago",
    "no_teams_phone": "No Teams Phone licence",
    "near_miss_tag": "Tag misses by one character",
    "two_reasons": "Counted for two reasons",
}
_ON_A_PAGE = 50
_COLUMNS = ("Subject", "Reason", "Counted at", "Seats freed", "Why, and what frees it", "Observed")
_AWAY = "This cannot be read from ClickHouse now: check that it runs, then load the page again."


class ReclaimList:
    """What could be reclaimed of a tenant, for one reason or for all (None)."""

    def __init__(self, here: Visit, tenant: str, reason: Reason | None) -> None:
        self._here, self._tenant = here, tenant
        self.reason = reason
        self._last: Place = FIRST
        self._asked = 0
        with ui.element("div").classes("toolbar"):
            self._state = Text("p", "Reading …").props('role=status data-testid="reclaim totals"')
            ui.space()
            ui.button("CSV", on_click=self._give_csv).props('outline aria-label="Download as CSV"')
        self._stale = Text("p").classes("warn").props('data-testid="reclaim stale"')
        self._stale.set_visibility(False)
        with table("Seats that could be freed", _COLUMNS, numbers=("Seats freed",)) as self._rows:
            pass
        self._more = ui.button("Load more", on_click=self._read).props("outline")
        self._more.set_visibility(False)

    async def begin_again(self) -> None:
        """Show the first page of what is asked for now."""
        self._last = FIRST
        await self._read()

    async def _read(self) -> None:
        self._asked += 1
        mine, after = self._asked, self._last
        try:
            reclaim, items, more = await self._here.context.read(lambda: self._found(after))
        except clickhouse.ClickHouseError:
            self._fail()
            return
        # An answer to an older question must not replace that to a newer one.
        if mine == self._asked:
            self._show(reclaim, items, after, more)

    def _found(self, after: Place) -> tuple[Reclaim, list[dict[str, Any]], Place | None]:
        context = self._here.context
        reclaim = find_reclaimable(context, self._tenant, OLD_DAYS)
        found = reclaim.after(after, self.reason, _ON_A_PAGE + 1)
        here = found[:_ON_A_PAGE]
        more = place_of(here[-1]) if len(found) > _ON_A_PAGE else None
        return reclaim, describe(context, self._tenant, reclaim, here), more

    def _show(self, reclaim: Reclaim, items: list[dict[str, Any]], after: Place, more: Place | None) -> None:
        totals = reclaim.totals()
        self._state.classes(remove="over")
        self._state.set_text(
            f"{totals['seats']:,} seats could be freed of {totals['subjects']:,} subjects that are worth a look."
            if totals["items"]
            else "Nothing here looks as if it could be freed."
        )
        facets = ", ".join(FACETS[facet] for facet in FACETS if facet in reclaim.stale_facets)
        self._stale.set_visibility(bool(facets))
        self._stale.set_text(f"Not confirmed by its source for too long: {facets}. Look again before acting on it.")
        if after == FIRST:
            self._rows.clear()
        with self._rows:
            for item in items:
                self._row(item)
        self._more.set_visibility(more is not None)
        self._last = more or after

    def _row(self, item: dict[str, Any]) -> None:
        with tag("tr"):
            with Text("th").props("scope=row").classes("plain"):
                ui.link(item["display_name"] or item["subject"], seat_address(self._tenant, item["subject"], None))
                Text("div", item["user_principal_name"] or item["subject"]).classes("faint small")
            Text("td", REASON_WORDS[item["reason"]])
            Text("td", short_factor_label(item["factor"]))
            figure_cell(str(item["saving"]))
            Text("td", item["explanation"]).classes("reason")
            with tag("td").classes("warn" if item["stale"] else ""):
                for facet, known in item["facts"].items():
                    with tag("div"):
                        Text("span", f"{FACETS[facet]}: ").classes("faint small")
                        LocalTime(parse_time(known["observed_at"]))

    def _fail(self) -> None:
        self._rows.clear()
        self._more.set_visibility(False)
        self._state.set_text(_AWAY)
        self._state.classes(add="over")

    async def _give_csv(self) -> None:
        # Through the socket, as that of the seats: names belong in no address.
        lines = reclaim_csv(self._here.context, self._tenant, self.reason, OLD_DAYS)
        try:
            found = "".join([part async for part in lines])
        except clickhouse.ClickHouseError:
            self._fail()
            return
        ui.download.content(found, f"{self._tenant}-reclaim.csv", MEDIA_TYPE)
