"""Owns the figures on top of the License Audit: the pool, what is used of it, and when that was counted."""

from nicegui import ui

from licensing.alerts.limits import is_alerting
from portal.answers.tenant_list import is_over_pool
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import NONE, LiveNumber, LocalTime, licences, percent
from portal.web.pieces.text import Text
from portal.web.pieces.words import HINTS
from schemas.count import Count

_FIGURES = (
    "Acquired Licenses",
    "Currently Licensed",
    "Available Licenses",
    "Usage",
    "User Licenses",
    "DR Phone Licenses",
)


class PoolFigures:
    """The figures of a tenant, a bar of what is used of its pool, and the hints of its count."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        with ui.element("div").classes("line"):
            Text("span", "Last Update").classes("faint")
            self._updated = LocalTime()
            self._stale = Text("strong", "stale: see the sources below").classes("warn")
        with ui.element("dl").classes("stats"):
            self._numbers = {name: _figure(name) for name in _FIGURES}
        self._bar = ui.element("div").classes("bar").props("role=img")
        with self._bar:
            self._used = ui.element("div").classes("bar-used")
            self._pool_mark = ui.element("div").classes("bar-mark")
            self._warning_mark = ui.element("div").classes("bar-mark bar-warning")
        self._legend = Text("p").classes("faint bar-legend")
        self._hints = ui.element("ul").classes("hints")

    def show(self, count: Count) -> None:
        """Show a newer count."""
        self._updated.show(count.computed_at)
        self._stale.set_visibility(count.stale)
        shown = (
            licences(count.acquired_licenses),
            licences(count.currently_licensed),
            licences(count.available_licenses),
            percent(count.usage_percent),
            licences(count.user_licenses),
            licences(count.dr_phone_licenses),
        )
        for name, value in zip(_FIGURES, shown, strict=True):
            self._numbers[name].show(value)
        over = is_over_pool(count)
        self._numbers["Available Licenses"].classes(add="over" if over else "", remove="" if over else "over")
        self._show_bar(count)
        self._show_hints(count)

    def _show_bar(self, count: Count) -> None:
        pool = count.acquired_licenses
        self._bar.set_visibility(bool(pool))
        self._legend.set_visibility(bool(pool))
        if not pool:
            return
        limits = self._here.context.limits_of(self._tenant)
        warning, critical = limits.warning_percent or 0.0, limits.critical_percent or 0.0
        scale = max(pool * critical / 100, pool, count.currently_licensed) * 1.05
        grade = "over" if is_over_pool(count) else "warn" if is_alerting(count.usage_percent, limits) else "ok"
        self._used.classes(replace=f"bar-used {grade}")
        self._used.style(f"width: {100 * count.currently_licensed / scale:.2f}%")
        self._pool_mark.style(f"left: {100 * pool / scale:.2f}%")
        self._warning_mark.style(f"left: {warning * pool / scale:.2f}%")
        beyond = f", {-(count.available_licenses or 0):,} beyond the pool" if grade == "over" else ""
        text = f"{count.currently_licensed:,} of {pool:,} licenses used ({percent(count.usage_percent)}){beyond}"
        self._bar.props(f'aria-label="{text}"')
        self._legend.set_text(f"{text}; marks: warning at {warning:g} %, pool, critical at {critical:g} %")

    def _show_hints(self, count: Count) -> None:
        self._hints.clear()
        self._hints.set_visibility(bool(count.hints))
        with self._hints:
            for hint in count.hints:
                Text("li", HINTS[hint]).classes("warn")


def _figure(name: str) -> LiveNumber:
    with ui.element("div"):
        Text("dt", name)
        with ui.element("dd"):
            return LiveNumber(NONE).props(f'data-testid="{name}"')
