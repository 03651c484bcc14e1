"""Owns what changed last on the License Audit: the cause of the newest count, and the last moves with their reason."""

from datetime import timedelta
from typing import Any

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import background_tasks, ui

from portal.answers.changes import list_changes
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, heading, table, tag
from portal.web.pieces.words import cause, factor_label, totals_words
from portal.web.seats.seat_list import seat_address
from schemas.count import Count
from schemas.times import parse_time

_SHOWN = 5
_WITHIN = timedelta(days=1)
_COLUMNS = ("When", "Who", "From", "To", "By")


class RecentChanges:
    """The last moves of a day, read again a moment after the count has moved."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._version = -1
        self._due = False
        heading("What changed last")
        self._cause = Text("p").props("role=status")
        with table("What changed last", _COLUMNS) as self._rows:
            pass
        self._note = Text("p").classes("faint")
        ui.link("All changes", f"/tenants/{tenant}/changes")
        ui.timer(1.0, self._read_if_due)

    def show(self, count: Count) -> None:
        """Say why the newest count moved."""
        self._cause.set_text(f"The newest count: {cause(count.cause)}.")
        self._due = self._due or (count.version != self._version and self._version >= 0)
        self._version = count.version

    async def load(self) -> None:
        """Read and show the last moves."""
        self._due = False
        try:
            items = await self._here.context.read(self._read)
        except clickhouse.ClickHouseError:
            self._note.set_text("History cannot be read now; the figures above are not concerned.")
            return
        self._note.set_text("" if items else "Nobody and nothing moved within a day.")
        self._rows.clear()
        with self._rows:
            for item in items:
                self._row(item)

    def _read_if_due(self) -> None:
        if self._due:
            background_tasks.create(self.load(), name="recent-changes")

    def _read(self) -> list[dict[str, Any]]:
        services, now = self._here.context.services, self._here.context.now()
        masks = self._here.context.masks_of(self._tenant)
        found = list_changes(services.store, self._tenant, masks, now - _WITHIN, now, None, _SHOWN, newest_first=True)
        shown = [item.shown for item in found]
        names = services.store.display_names(self._tenant, [item["subject"] for item in shown if item["subject"]])
        return [{**item, "name": names.get(item["subject"])} for item in shown]

    def _row(self, item: dict[str, Any]) -> None:
        with tag("tr"):
            with tag("td"):
                LocalTime(parse_time(item["at"]))
            if item["kind"] == "settings":
                moved = totals_words(item["totals"]) or "nobody moved"
                Text("td", f"Settings: {moved}").props("colspan=3")
            else:
                with tag("td"):
                    ui.link(item["name"] or item["subject"], seat_address(self._tenant, item["subject"], None))
                Text("td", factor_label(item["from_factor"]))
                Text("td", factor_label(item["to_factor"]))
            Text("td", item["source"] or item["cause"])
