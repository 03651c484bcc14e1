"""Owns the history of a tenant's alerts: each change, and who was told of it."""

from collections.abc import Sequence
from datetime import timedelta

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import background_tasks, ui

from portal.answers.alerts import Told, read_changes
from portal.web.frame.visit import Visit, follow_alerts
from portal.web.pieces.alert_words import RULES, change_words, grade, told_words
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, heading, table, tag
from schemas.alert import Alert

_COLUMNS = ("When", "Alert", "Change", "What was the case", "Told by")
_WITHIN = timedelta(days=90)
_SHOWN = 50
_LOOK_S = 1.5
"""What the live list shows at once is on record a moment later."""


class AlertHistory:
    """The last changes, read again a moment after one has come."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._due = 0
        heading("What there was")
        self._note = Text("p").props("role=status").classes("faint")
        with table("What there was", _COLUMNS) as self._rows:
            pass
        follow_alerts(here, tenant, self._hear)
        ui.timer(_LOOK_S, self._read_if_due)

    async def load(self) -> None:
        """Read and show them."""
        now = self._here.context.now()
        try:
            found = await self._here.context.read(
                lambda: read_changes(self._here.context, self._tenant, now - _WITHIN, now, None, None, _SHOWN)
            )
        except clickhouse.ClickHouseError:
            self._note.set_text("History cannot be read from ClickHouse now; what is open above is not concerned.")
            return
        self._note.set_text(_summary(len(found)))
        self._rows.clear()
        with self._rows:
            for told in found:
                _row(told)

    def _hear(self, _: Sequence[Alert]) -> None:
        self._due = 2  # once for the change, and once more for what became of its telling

    def _read_if_due(self) -> None:
        if self._due:
            self._due -= 1
            background_tasks.create(self.load(), name="alert-history")


def _summary(number: int) -> str:
    if not number:
        return "There was no alert within 90 days."
    return f"The last {number} changes are shown; the API has all." if number == _SHOWN else "Of the last 90 days."


def _row(told: Told) -> None:
    alert = told.alert
    with tag("tr"):
        with tag("th").props("scope=row").classes("plain"):
            LocalTime(alert.at)
        Text("td", RULES[alert.rule])
        Text("td", change_words(alert)).classes(grade(alert))
        Text("td", alert.detail).classes("reason")
        Text("td", told_words(told)).classes("small")
