"""Owns the control of silences on a page of settings: a table of them, and the form that adds one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from nicegui import ui

from portal.web.pieces.figures import LocalTime
from portal.web.pieces.setting_fields import complaint
from portal.web.pieces.silence_form import SilenceForm, muted_words
from portal.web.pieces.text import Text, table, tag
from schemas.settings import Silence

_COLUMNS = ("What", "From", "To", "Reason", "")


class SilencesField:
    """The silences of a tenant or the provider; an empty list is none."""

    path = "alerts.silences"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._silences: list[Silence] = []
        self._heard: Callable[[], Any] = lambda: None
        self._frozen = False
        with ui.element("div").classes("column page-part"):
            with table("Silences", _COLUMNS) as self._rows:
                pass
            self._none = Text("p", "Nothing is muted.").classes("faint")
            self._wrong = Text("p").classes("over").props("role=alert")
            self._wrong.set_visibility(False)
            self._form = SilenceForm("Add silence", now, self._add)

    def on_change(self, heard: Callable[[], Any]) -> None:
        self._heard = heard

    def show(self, value: Any) -> None:
        self._silences = [Silence.model_validate(each) for each in value or []]
        self._show_rows()

    def read(self) -> Any:
        return [each.model_dump(mode="json") for each in self._silences] or None

    def complain(self, errors: Mapping[str, str]) -> None:
        wrong = complaint(errors, self.path)
        self._wrong.set_text(wrong or "")
        self._wrong.set_visibility(wrong is not None)

    def freeze(self) -> None:
        self._frozen = True
        self._form.set_visibility(False)
        self._show_rows()

    def _add(self, silence: Silence) -> None:
        self._change([*self._silences, silence])

    def _change(self, silences: list[Silence]) -> None:
        self._silences = silences
        self._show_rows()
        self._heard()

    def _show_rows(self) -> None:
        self._none.set_visibility(not self._silences)
        self._rows.clear()
        with self._rows:
            for silence in self._silences:
                self._row(silence)

    def _row(self, silence: Silence) -> None:
        with tag("tr"):
            Text("th", muted_words(silence.rule)).props("scope=row").classes("plain")
            with tag("td"):
                LocalTime(silence.since, "now")
            with tag("td"):
                LocalTime(silence.until)
            Text("td", silence.reason).classes("value")
            with tag("td"):
                if not self._frozen:
                    rest = [each for each in self._silences if each is not silence]
                    remove = ui.button("Remove", on_click=lambda: self._change(rest)).props("flat dense")
                    remove.props(f'aria-label="Remove the silence of {muted_words(silence.rule)}"')
