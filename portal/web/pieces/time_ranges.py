"""Owns the choice of a range of time on a page, and how it stands in the address. What a page does with it is its own
business."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from portal.web.pieces.history_choice import RANGES
from schemas.times import format_time

CUSTOM = "custom"
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class AskedRange:
    """A range as people write it (`portal.answers.ranges`), and the step it is drawn with."""

    start: str
    end: str = ""
    step: str = AUTO

    @property
    def slides(self) -> bool:
        """Whether it is a span up to now, which moves on with time."""
        return self.start in RANGES and not self.end

    def query(self) -> dict[str, str]:
        """Return it as parameters of an address."""
        parts = {"from": self.start, "to": self.end, "step": self.step if self.step != AUTO else ""}
        return {name: value for name, value in parts.items() if value}


class RangeChoice(Element, component="range_choice.js"):
    """A drop-down of spans up to now and `from – to …`, with a button. `chosen` is called with what is asked for."""

    def __init__(
        self, asked: AskedRange, chosen: Callable[[AskedRange], Awaitable[None]], action: str,
        steps: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._props["ranges"] = _options(RANGES | {CUSTOM: "From – to …"})
        self._props["steps"] = _options(steps or {})
        self._props["action"] = action
        self._show(asked)

        def tell(event: GenericEventArguments) -> Awaitable[None]:
            return chosen(_asked(event.args))

        self.on("chosen", tell)

    def _show(self, asked: AskedRange) -> None:
        self._props["range"] = asked.start if asked.slides else CUSTOM
        self._props["step"] = asked.step

    def show(self, asked: AskedRange, start: datetime, end: datetime) -> None:
        """Show what is asked for, and its instants where a choice of instants begins."""
        self._show(asked)
        self._props["from"], self._props["to"] = format_time(start), format_time(end)
        self.update()


def _options(named: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in named.items()]


def _asked(told: dict[str, Any]) -> AskedRange:
    spans = told["range"] != CUSTOM
    step = str(told["step"] or AUTO)
    return AskedRange(str(told["range"]), step=step) if spans else AskedRange(str(told["from"]), str(told["to"]), step)
