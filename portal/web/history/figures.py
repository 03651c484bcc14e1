"""Owns the figures above the chart of a history: peak, lowest, average, last, and how long it was over the pool."""

from datetime import datetime

from nicegui import ui

from portal.answers.history_summary import HistorySummary
from portal.web.pieces.figures import NONE, LiveNumber, LocalTime, licences
from portal.web.pieces.text import Text

_FIGURES = ("Peak", "Lowest", "Average", "Last", "Over the pool")


class HistoryFigures:
    """The figures of a history, each with what explains it."""

    def __init__(self) -> None:
        with ui.element("dl").classes("stats"):
            self._numbers: dict[str, LiveNumber] = {}
            self._times: dict[str, LocalTime] = {}
            self._notes: dict[str, Text] = {}
            for name in _FIGURES:
                self._figure(name)

    def _figure(self, name: str) -> None:
        with ui.element("div"):
            Text("dt", name)
            with ui.element("dd"):
                self._numbers[name] = LiveNumber().props(f'data-testid="{name}"')
            with ui.element("dd").classes("note"):
                if name in ("Peak", "Lowest"):
                    self._times[name] = LocalTime(never="")
                else:
                    self._notes[name] = Text("span")

    def show(self, found: HistorySummary | None) -> None:
        """Show the figures, none for a history without points."""
        values = (
            (licences(found.peak), licences(found.lowest), f"{found.avg:,.1f}", licences(found.last), _hours(found))
            if found
            else (NONE,) * len(_FIGURES)
        )
        for name, value in zip(_FIGURES, values, strict=True):
            self._numbers[name].show(value)
        self._times["Peak"].show(found.peak_at if found else None)
        self._times["Lowest"].show(found.lowest_at if found else None)
        self._notes["Average"].set_text("weighted by time" if found else "")
        over = bool(found and found.over_s)
        self._numbers["Over the pool"].classes(add="over" if over else "", remove="" if over else "over")
        self._notes["Over the pool"].set_text(_over_note(found) if found else "")


def sentence(name: str, start: datetime, end: datetime, found: HistorySummary | None) -> str:
    """Return what a chart says, for those who do not see it."""
    range_ = f"Currently Licensed of {name} from {_utc(start)} to {_utc(end)}"
    if found is None:
        return f"{range_}: no counts."
    return (
        f"{range_}: peak {licences(found.peak)} at {_utc(found.peak_at)}, lowest {licences(found.lowest)}, average"
        f" {found.avg:,.1f}, last {licences(found.last)}, over the pool {_hours(found)}. The points are in the table"
        " below."
    )


def _hours(found: HistorySummary) -> str:
    if found.over_s is None:
        return NONE
    hours = found.over_s / 3_600
    if 0 < hours < 1:
        return f"{max(hours * 60, 1):.0f} min"
    return f"{hours:,.0f} h" if hours >= 100 or not hours else f"{hours:,.1f} h"


def _over_note(found: HistorySummary) -> str:
    if found.over_s is None:
        return "no pool is set"
    if not found.over_s:
        return "never"
    return "" if found.over_is_exact else "about: a finer step tells it exactly"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
