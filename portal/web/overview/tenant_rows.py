"""Owns the rows of the overview: a tenant's figures, live, with a line of its last thirty days."""

from collections.abc import Mapping, Sequence

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.alerts import open_of
from portal.answers.tenant_list import is_over_pool, sparklines
from portal.web.frame.visit import Visit
from portal.web.pieces.alert_words import grade
from portal.web.pieces.figures import LiveNumber, LocalTime, licences, percent
from portal.web.pieces.sparkline import sparkline
from portal.web.pieces.text import Text, figure_cell, table, tag
from portal.web.pieces.words import SHORT_HINTS
from schemas.alert import Alert
from schemas.count import Count

_COLUMNS = ("Tenant", "Currently Licensed", "Acquired", "Available", "Usage", "30 days", "Notes", "Last update")


class TenantRows:
    """One page of tenants; counts that arrive move the figures of those that are shown."""

    def __init__(self, here: Visit) -> None:
        self._here = here
        self._rows: dict[str, _Row] = {}
        self._asked = 0
        with table("Tenants", _COLUMNS, numbers=_COLUMNS[1:5]) as self._body:
            pass
        self._none = Text("p", "No tenant is found: ask for less, or make one by `poolwatch tenant set`.")

    async def show(self, counts: Sequence[Count]) -> bool:
        """Show these tenants, in this order; False where others were asked for meanwhile, which are shown then."""
        self._asked += 1
        asked = self._asked
        lines = await self._lines([count.tenant for count in counts])
        if asked != self._asked:
            return False
        self._body.clear()
        self._none.set_visibility(not counts)
        with self._body:
            self._rows = {count.tenant: _Row(self._here, count, lines.get(count.tenant, ())) for count in counts}
        return True

    def take(self, count: Count) -> None:
        """Take a newer count, if its tenant is shown."""
        row = self._rows.get(count.tenant)
        if row is not None:
            row.show(count)

    def take_alerts(self, changed: Sequence[Alert]) -> None:
        """Take changes of alerts, if their tenants are shown."""
        for tenant in {alert.tenant for alert in changed}:
            row = self._rows.get(tenant)
            if row is not None:
                row.show_alerts(open_of(self._here.context, tenant))

    async def _lines(self, tenants: Sequence[str]) -> Mapping[str, Sequence[int]]:
        if not tenants:
            return {}
        try:
            return await sparklines(self._here.context, tenants)
        except clickhouse.ClickHouseError:
            return {}


class _Row:
    def __init__(self, here: Visit, count: Count, line: Sequence[int]) -> None:
        name = here.context.settings_of(count.tenant).display_name
        with tag("tr"):
            with tag("th").props("scope=row"):
                ui.link(name or count.tenant, f"/tenants/{count.tenant}")
                if name and name != count.tenant:
                    Text("div", count.tenant).classes("faint small")
            self._figures = [_figure() for _ in range(4)]
            with tag("td"):
                sparkline(line)
            with tag("td").classes("small"):
                self._alerts = ui.link("", f"/alerts?tenant={count.tenant}")
                self._notes = Text("div").classes("warn")
            with tag("td").classes("small"):
                self._updated = LocalTime()
        self.show(count)
        self.show_alerts(open_of(here.context, count.tenant))

    def show_alerts(self, alerts: Sequence[Alert]) -> None:
        """Show how many alerts are open, in the colour of the gravest."""
        number = len(alerts)
        self._alerts.set_visibility(bool(number))
        self._alerts.set_text(f"{number} {'alert' if number == 1 else 'alerts'}")
        self._alerts.classes(remove="warn over", add=f"{grade(alerts[0])} strong" if alerts else "")

    def show(self, count: Count) -> None:
        values = (
            licences(count.currently_licensed),
            licences(count.acquired_licenses),
            licences(count.available_licenses),
            percent(count.usage_percent),
        )
        for figure, value in zip(self._figures, values, strict=True):
            figure.show(value)
        over = is_over_pool(count)
        for figure in self._figures[2:]:
            figure.classes(add="over" if over else "", remove="" if over else "over")
        notes = ["over the pool"] if over else []
        notes += ["stale"] if count.stale else []
        self._notes.set_text(", ".join([*notes, *(SHORT_HINTS[hint] for hint in count.hints)]))
        self._updated.show(count.computed_at)


def _figure() -> LiveNumber:
    with figure_cell():
        return LiveNumber()
