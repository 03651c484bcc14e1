"""Owns how a page is asked to show things as they were: the choice of an instant, and the `at` of its address."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from portal.answers.ranges import RangeError, parse_instant
from schemas.times import format_time


class InstantChoice(Element, component="instant_choice.js"):
    """A date and time in the viewer's zone, with the way back to now. `chosen` is given RFC 3339, or "" for now."""

    def __init__(self, at: datetime | None, chosen: Callable[[str], Awaitable[None] | None], label: str) -> None:
        super().__init__()
        self._props["label"] = label
        self.show(at)

        def tell(event: GenericEventArguments) -> Awaitable[None] | None:
            return chosen(str(event.args or ""))

        self.on("chosen", tell)

    def show(self, at: datetime | None) -> None:
        """Show another instant, None = now."""
        self._props["at"] = format_time(at) if at else ""
        self.update()


@dataclass(frozen=True, slots=True)
class Instant:
    """The instant that an address asks for, None = now; `refused` says why it could not be read."""

    at: datetime | None = None
    refused: str = ""


def instant_of(text: str, now: datetime) -> Instant:
    """Return the instant of the `at` in an address."""
    if not text:
        return Instant()
    try:
        return Instant(parse_instant(text, now))
    except RangeError as error:
        return Instant(refused=str(error))
