"""Owns the small pieces that show a figure or an instant, the same on every page."""

from datetime import datetime

from nicegui.element import Element

from schemas.times import format_time

NONE = "–"
"""What stands where there is no figure."""


class LiveNumber(Element, component="live_number.js"):
    """A figure that flashes when it changes."""

    def __init__(self, value: str = NONE) -> None:
        super().__init__()
        self._props["value"] = value

    def show(self, value: str) -> None:
        """Show another figure; the same one again does nothing."""
        if self._props["value"] != value:
            self._props["value"] = value
            self.update()


class LocalTime(Element, component="local_time.js"):
    """An instant in the viewer's zone, UTC on hover."""

    def __init__(self, at: datetime | None = None, never: str = "never") -> None:
        super().__init__()
        self._props["never"] = never
        self.show(at)

    def show(self, at: datetime | None) -> None:
        """Show another instant."""
        self._props["at"] = format_time(at) if at else ""
        self.update()


def licences(value: int | None) -> str:
    """Return a number of licences as text."""
    return NONE if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """Return a usage as text."""
    return NONE if value is None else f"{value:.1f} %"
