"""Owns what the License Audit says of open alerts: each in a sentence, with the way to all about it."""

from nicegui import ui

from portal.answers.alerts import open_of
from portal.web.frame.visit import Visit, follow_alerts
from portal.web.pieces.alert_words import grade, level_words
from portal.web.pieces.text import Text, tag


class OpenAlerts:
    """A box above the figures, where something is open."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._box = ui.element("section").classes("news").props('aria-label="Open alerts"')
        self._show()
        follow_alerts(here, tenant, lambda _: self._show())

    def _show(self) -> None:
        found = open_of(self._here.context, self._tenant)
        self._box.set_visibility(bool(found))
        self._box.clear()
        with self._box:
            for alert in found:
                with tag("p"):
                    Text("strong", f"{level_words(alert)}: ").classes(grade(alert))
                    Text("span", alert.detail)
            ui.link("Alerts of this tenant", f"/alerts?tenant={self._tenant}")
