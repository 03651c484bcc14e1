"""Owns a row of the list of alerts: how grave, of whom, what is the case and since when, who has seen it, what to
do."""

from dataclasses import dataclass
from datetime import datetime

from nicegui import ui

from portal.web.alerts.alert_actions import AlertActions
from portal.web.pieces.alert_words import RULES, grade, level_words, limit_words
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, tag
from schemas.alert import Alert


@dataclass(frozen=True, slots=True)
class Shown:
    """All that a row shows."""

    alert: Alert
    name: str
    silenced_until: datetime | None
    may_change: bool


class AlertRow:
    """A row; another one is made where something of it changes."""

    def __init__(self, shown: Shown, actions: AlertActions) -> None:
        self.shown = shown
        alert = shown.alert
        with tag("tr") as self.element:
            with tag("td"):
                Text("strong", level_words(alert)).classes(f"{grade(alert)} whole")
                Text("div", RULES[alert.rule]).classes("small faint")
            with tag("th").props("scope=row").classes("plain"):
                ui.link(shown.name, f"/alerts?tenant={alert.tenant}")
            with tag("td").classes("reason"):
                Text("div", alert.detail)
                Text("div", " · ".join(filter(None, (limit_words(alert), alert.todo)))).classes("small faint")
            with tag("td").classes("small"):
                LocalTime(alert.since)
                if alert.state == "resolved":
                    Text("div", "over since")
                    LocalTime(alert.at)
            with tag("td").classes("small"):
                Text("span", f"by {alert.acknowledged_by}" if alert.acknowledged_by else "not yet")
                if shown.silenced_until is not None:
                    Text("div", "muted until")
                    LocalTime(shown.silenced_until)
            with tag("td"), tag("div").classes("line whole"):
                if shown.may_change and alert.state == "firing":
                    self._buttons(actions)

    def _buttons(self, actions: AlertActions) -> None:
        alert = self.shown.alert
        of = f"{RULES[alert.rule]} of {self.shown.name}"
        if alert.acknowledged_by is None:
            seen = ui.button("Seen", on_click=lambda: actions.acknowledge(alert))
            seen.props("outline dense padding='xs sm'").props["aria-label"] = f"Seen: {of}"
        if self.shown.silenced_until is None:
            mute = ui.button("Mute …", on_click=lambda: actions.ask_mute(alert, self.shown.name))
        else:
            mute = ui.button("Unmute", on_click=lambda: actions.unmute(alert))
        mute.props("flat dense padding='xs sm'").props["aria-label"] = f"{mute.text.removesuffix(' …')}: {of}"
