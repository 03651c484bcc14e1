"""Owns the list of what moved in a range: newest first, filtered and paged by the store, to take away as CSV."""

from datetime import datetime

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.changes import Item, Place, list_changes
from portal.answers.csv_lines import MEDIA_TYPE
from portal.answers.exports import changes_csv
from portal.answers.ranges import RangeError, parse_range
from portal.answers.settings_log import SettingsChange, acting_changes
from portal.web.changes.change_filter import ChangeFilter
from portal.web.changes.change_rows import COLUMNS, change_row
from portal.web.frame.visit import Visit
from portal.web.pieces.text import Text, heading, table
from portal.web.pieces.time_ranges import AskedRange

_ON_A_PAGE = 50
_MOST_PAGES = 100
_AWAY = (
    "Changes cannot be read from ClickHouse now: check that it runs, then press Show. The live counts are not"
    " concerned."
)
_CUT = "The file ends after 100,000 changes: take a shorter range, or ask the API for CSV, which has no end."


class ChangeList:
    """The changes of a tenant in a range; `range` and `filter` say which, `load` shows them."""

    def __init__(self, here: Visit, tenant: str, asked: AskedRange, wanted: ChangeFilter) -> None:
        self._here, self._tenant = here, tenant
        self.range, self.filter = asked, wanted
        self._within: tuple[datetime, datetime] | None = None
        self._last: Place | None = None
        self._shown = 0
        self._questions = 0
        self._version: int | None = None
        heading("What moved")
        with ui.element("div").classes("toolbar"):
            self._state = Text("p").props('role=status data-testid="changes shown"')
            self._again = ui.button("The count has moved: read again", on_click=self.load).props("flat dense")
            ui.space()
            ui.button("CSV", on_click=self._give_csv).props('outline aria-label="Download as CSV"')
        with table("What moved", COLUMNS) as self._rows:
            pass
        self._more = ui.button("Load more", on_click=self._read).props("outline")
        self._again.set_visibility(False)
        self._more.set_visibility(False)

    async def load(self) -> None:
        """Show the newest of what is asked for now."""
        try:
            self._within = parse_range(self.range.start, self.range.end or None, self._here.context.now())
        except RangeError as error:
            self._within = None
            self._say(f"This range cannot be shown: {error}.", wrong=True)
            return
        self._last, self._shown = None, 0
        self._version = self._here.context.count_of(self._tenant).version
        await self._read()

    def moved(self, version: int) -> None:
        """Offer to read again once the count has moved; rows never move under the reader's eyes by themselves."""
        if self._version is not None and version > self._version and not self.range.end:
            self._again.set_visibility(True)

    async def _read(self) -> None:
        if self._within is None:
            return
        self._questions += 1
        mine, (start, end), after = self._questions, self._within, self._last
        self._say("Reading …")
        try:
            found = await self._here.context.read(lambda: self._found(start, end, after))
        except clickhouse.ClickHouseError:
            if mine == self._questions:
                self._say(_AWAY, wrong=True)
            return
        # An answer to an older question must not replace that to a newer one.
        if mine == self._questions:
            self._show(*found)

    def _found(
        self, start: datetime, end: datetime, after: Place | None
    ) -> tuple[list[Item], dict[str, str | None], list[SettingsChange]]:
        context = self._here.context
        store, masks = context.services.store, context.masks_of(self._tenant)
        items = list_changes(
            store, self._tenant, masks, start, end, after, _ON_A_PAGE + 1, newest_first=True, wanted=self.filter.wants
        )
        subjects = {item.shown["subject"] for item in items if item.shown["subject"]}
        names = store.display_names(self._tenant, sorted(subjects)) if subjects else {}
        return items, names, acting_changes(self._tenant, masks)

    def _show(self, items: list[Item], names: dict[str, str | None], settings: list[SettingsChange]) -> None:
        page, more = items[:_ON_A_PAGE], len(items) > _ON_A_PAGE
        if self._last is None:
            self._rows.clear()
            self._again.set_visibility(False)
        by_revision: dict[tuple[str, int], SettingsChange] = {
            (change.scope, change.revision): change for change in settings
        }
        with self._rows:
            for item in page:
                change_row(self._tenant, item, names, by_revision)
        self._last = page[-1].place if page else self._last
        self._shown += len(page)
        self._more.set_visibility(more)
        here = f"{self._shown:,} shown, newest first" + (", with more to follow." if more else ": all there are.")
        self._say(here if self._shown else "Nobody and nothing moved in this range.")

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self._state.set_text(text)
        self._state.classes(add="over" if wrong else "", remove="" if wrong else "over")

    async def _give_csv(self) -> None:
        if self._within is None:
            return
        lines: list[str] = []
        try:
            async for more in changes_csv(self._here.context, self._tenant, *self._within, self.filter.wants):
                lines.append(more)
                if len(lines) >= _MOST_PAGES:
                    ui.notify(_CUT, type="negative", multi_line=True, close_button="Close", timeout=0)
                    break
        except clickhouse.ClickHouseError:
            self._say(_AWAY, wrong=True)
            return
        ui.download.content("".join(lines), f"{self._tenant}-changes.csv", MEDIA_TYPE)
