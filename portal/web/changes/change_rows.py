"""Owns the rows of a list of changes: a subject that moved, or settings with what they moved."""

from collections.abc import Mapping
from typing import Any

from nicegui import ui

from portal.answers.changes import Item
from portal.answers.settings_log import SettingsChange
from portal.web.changes.change_filter import KINDS
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.settings_sentences import changes_sentence, who
from portal.web.pieces.text import Text, tag
from portal.web.pieces.words import short_factor_label, totals_words
from portal.web.seats.seat_list import seat_address
from portal.web.seats.seat_words import cause_words

COLUMNS = ("When", "Kind", "Subject", "From", "To", "Why")
_MOST_SAID = 5


def change_row(
    tenant: str, item: Item, names: Mapping[str, str | None], settings: Mapping[tuple[str, int], SettingsChange]
) -> None:
    """Add a row of one change, with the name of its subject or the settings that it made."""
    shown = item.shown
    with tag("tr"):
        with tag("td"):
            LocalTime(item.place[0])
        Text("td", KINDS[shown["kind"]])
        if shown["kind"] == "settings":
            _settings_cells(shown, settings)
        else:
            _subject_cells(tenant, shown, names)


def _subject_cells(tenant: str, shown: Mapping[str, Any], names: Mapping[str, str | None]) -> None:
    name, subject = names.get(shown["subject"]), shown["subject"]
    with tag("td"):
        ui.link(name or subject, seat_address(tenant, subject, None))
        if name:
            Text("div", subject).classes("faint small")
    Text("td", short_factor_label(shown["from_factor"])).classes("whole")
    Text("td", short_factor_label(shown["to_factor"])).classes("whole")
    Text("td", cause_words(shown))


def _settings_cells(shown: Mapping[str, Any], settings: Mapping[tuple[str, int], SettingsChange]) -> None:
    scope = str(shown["cause"]).removesuffix("_settings")
    change = settings.get((scope, shown["revision"]))
    said = changes_sentence(change.changes, _MOST_SAID) if change else "nothing that acts here"
    with tag("td").props("colspan=3"):
        Text("div", said).classes("value")
        Text("div", moved_sentence(shown)).classes("faint small")
    Text("td", f"by {who(change) if change else shown['source'] or 'unknown'}")


def moved_sentence(shown: Mapping[str, Any]) -> str:
    """Return how many subjects new settings moved, and what that did to each factor."""
    if not shown["subjects"]:
        return "nobody moved"
    kinds = totals_words(shown["totals"])
    factors = ", ".join(f"{short_factor_label(name)} {by:+,}" for name, by in shown["factors"].items() if by)
    return f"{kinds}: {factors}" if factors else kinds
