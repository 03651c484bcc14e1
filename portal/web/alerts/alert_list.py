"""Owns the list of alerts: which are asked for, a row each, live; and what is watched where there are none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nicegui import ui

from licensing.alerts.limits import alert_limits
from licensing.alerts.words import LEVELS
from portal.answers.alerts import Wanted, find_alerts, silenced_until
from portal.web.alerts.alert_actions import AlertActions
from portal.web.alerts.alert_row import AlertRow, Shown
from portal.web.frame.visit import Visit, follow_alerts
from portal.web.pieces.alert_words import RULES, watched
from portal.web.pieces.text import Text, heading, table
from schemas.alert import AlertRule
from schemas.settings import TenantSettings

_COLUMNS = ("Level", "Tenant", "What is the case", "Since", "Seen", "")
_MOST_SHOWN = 200
_LOOK_S = 3.0
"""Silences begin and end without an alert that changes."""


class AlertList:
    """The alerts of all tenants that the visitor may see, or of one."""

    def __init__(self, here: Visit, tenant: str | None) -> None:
        self._here, self._tenant = here, tenant
        self._wanted = Wanted(tenant=tenant)
        self._rows: dict[tuple[str, AlertRule], AlertRow] = {}
        with ui.element("div").classes("toolbar"):
            if tenant is None:
                search = ui.input("Search", on_change=lambda event: self._ask(search=event.value or ""))
                search.props('dense outlined clearable debounce=300 type=search aria-label="Search tenants"')
            self._choice("All levels", LEVELS, "Level", "level")
            self._choice("All rules", RULES, "Rule", "rule")
            ui.checkbox(
                "Show also what is over", on_change=lambda event: self._ask(state=None if event.value else "firing")
            )
            self._total = Text("span").props("role=status").classes("faint")
        with table("Alerts", _COLUMNS) as self._body:
            pass
        self._none = ui.element("section").classes("page-part column").props('aria-label="What is watched"')
        with self._none:
            self._watched()
        self._actions = AlertActions(here, self.show)

    def begin(self) -> None:
        """Show them, and what becomes of them."""
        self.show()
        follow_alerts(self._here, self._tenant, lambda _: self.show())
        ui.timer(_LOOK_S, self.show)

    def _choice(self, every: str, options: Mapping[Any, str], label: str, name: str) -> None:
        def ask(event: Any) -> None:
            self._ask(**{name: event.value or None})

        ui.select({"": every, **options}, value="", label=label, on_change=ask).props("dense outlined").classes(
            "choice"
        )

    def _ask(self, **changed: object) -> None:
        self._wanted = replace(self._wanted, **changed)  # type: ignore[arg-type]  # names of its own fields
        self.show()

    def show(self) -> None:
        """Show what is found now; rows that are as they were stay where a keyboard may be."""
        context = self._here.context
        found = find_alerts(context, self._wanted, self._here.principal.sees, _MOST_SHOWN, None)
        wanted = {
            (alert.tenant, alert.rule): Shown(
                alert, context.settings_of(alert.tenant).display_name or alert.tenant, silenced_until(context, alert),
                self._here.may_change(alert.tenant),
            )
            for alert in found.alerts
        }  # fmt: skip
        for key, row in list(self._rows.items()):
            if wanted.get(key) != row.shown:
                row.element.delete()
                del self._rows[key]
        for place, (key, shown) in enumerate(wanted.items()):
            if key not in self._rows:
                with self._body:
                    self._rows[key] = AlertRow(shown, self._actions)
            row = self._rows[key]
            if self._body.default_slot.children[place] is not row.element:
                row.element.move(target_index=place)
        self._none.set_visibility(not wanted)
        self._total.set_text(_total(len(wanted), found.total, complete=context.services.alerts.complete))

    def _watched(self) -> None:
        provider = self._here.context.services.live.provider()
        limits = self._here.context.limits_of(self._tenant) if self._tenant else (
            alert_limits(TenantSettings(tenant="any"), provider)
        )  # fmt: skip
        heading("What is watched")
        with ui.element("ul").classes("hints"):
            for sentence in watched(limits):
                Text("li", sentence)
        if self._tenant is None:
            Text("p", "Where a tenant has limits of its own, those hold for it.").classes("faint")
        else:
            ui.link("Limits, channels and silences of this tenant", f"/tenants/{self._tenant}/settings")


def _total(shown: int, found: int, *, complete: bool) -> str:
    said = "No alert is found" if not found else f"{found:,} {'alert' if found == 1 else 'alerts'}"
    said += f", the first {shown:,} are shown" if shown < found else ""
    return said if complete else f"{said}; what is open for more than a week is still being read"
