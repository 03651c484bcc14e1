"""Owns the table of changes of settings: who changed what, when, from what to what."""

from collections.abc import Sequence

from portal.answers.settings_log import SettingsChange
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.setting_words import setting_name, setting_value
from portal.web.pieces.settings_sentences import who
from portal.web.pieces.text import Text, table, tag

_COLUMNS = ("When", "Who", "Setting", "From", "To")


class SettingsRows:
    """A row for each setting that a revision changed."""

    def __init__(self, label: str) -> None:
        with table(label, _COLUMNS) as self._rows:
            pass

    def show(self, changes: Sequence[SettingsChange]) -> None:
        """Show changes in this order."""
        self._rows.clear()
        with self._rows:
            for change in changes:
                _revision(change)


def _revision(change: SettingsChange) -> None:
    for number, one in enumerate(change.changes):
        setting = one["setting"]
        with tag("tr"):
            if not number:
                span = f"rowspan={len(change.changes)}"
                with tag("th").props(f"scope=rowgroup {span}").classes("plain"):
                    LocalTime(change.at)
                Text("td", who(change)).props(span)
            Text("td", setting_name(setting))
            Text("td", setting_value(setting, one["from"])).classes("value")
            Text("td", setting_value(setting, one["to"])).classes("value")
