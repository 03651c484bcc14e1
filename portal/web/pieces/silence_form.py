"""Owns the form of a silence: what is muted, for how long, and why; and how a silence reads."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from portal.answers.silences import checked_silence
from portal.web.frame.saving import told
from portal.web.pieces.alert_words import RULES, span_words
from schemas.alert import AlertRule
from schemas.settings import Silence
from schemas.times import format_time

_SPANS_S = (3_600, 4 * 3_600, 86_400, 7 * 86_400, 30 * 86_400)
_ALL = "Everything of the tenant"


class SilenceForm(Element, component="silence_form.js"):
    """A form with a button. `chosen` is called with what is asked for; what is no silence is told on the page."""

    def __init__(self, action: str, now: Callable[[], datetime], chosen: Callable[[Silence], Any]) -> None:
        super().__init__()
        spans = {span_s: span_words(span_s) for span_s in _SPANS_S} | {0: "From – to …"}
        self._props["spans"] = [{"value": value, "label": label} for value, label in spans.items()]
        rules = {"": _ALL} | {str(name): label for name, label in RULES.items()}
        self._props["rules"] = [{"value": value, "label": label} for value, label in rules.items()]
        self._props["rule"] = ""
        self._props["action"] = action

        def tell(event: GenericEventArguments) -> Any:
            with told():
                return chosen(checked_silence(_body(event.args, now()), now()))

        self.on("chosen", tell)

    def show(self, rule: AlertRule) -> None:
        """Begin with a rule."""
        self._props["rule"] = rule
        self.update()


def _body(chosen: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what the browser told, as a body of settings; the span counts by the clock of this machine."""
    span = timedelta(seconds=min(max(int(chosen.get("span_s") or 0), 0), max(_SPANS_S)))
    until = format_time(now + span) if span else str(chosen.get("until") or "")
    return {"rule": chosen.get("rule") or None, "since": chosen.get("since") or None, "until": until,
            "reason": chosen.get("reason") or ""}  # fmt: skip


def muted_words(rule: AlertRule | None) -> str:
    """Return what a silence mutes."""
    return RULES[rule] if rule else _ALL
