"""Owns how changes of settings read in one line: who made them, and what became what. Pure."""

from collections.abc import Sequence
from typing import Any

from portal.answers.settings_log import SettingsChange
from portal.web.pieces.setting_words import setting_name, setting_value


def who(change: SettingsChange) -> str:
    """Return who made a change."""
    return (change.by or "unknown") + (" (provider's defaults)" if change.scope == "provider" else "")


def changes_sentence(changes: Sequence[dict[str, Any]], most: int) -> str:
    """Return the first differences in words, and how many more there are."""
    said = [_sentence(each["setting"], each["from"], each["to"]) for each in changes[:most]]
    return "; ".join([*said, *([f"{len(changes) - most} more"] if len(changes) > most else [])])


def _sentence(path: str, before: Any, after: Any) -> str:
    return f"{setting_name(path)}: {setting_value(path, before)} → {setting_value(path, after)}"
