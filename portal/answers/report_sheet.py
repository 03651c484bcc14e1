"""Owns the monthly report of a tenant in words: what stands on its sheet, whatever that is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_RESOLUTIONS = {
    "second": "Every count of the period, to the second.",
    "hour": "Hourly figures: the single counts are beyond their retention. Average and peak are those of the counts.",
    "day": "Daily figures: what is finer is beyond its retention. Average and peak are those of the counts.",
}
_NONE = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title; columns but the first hold figures where `numbers` is true."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a report says: a title, what is to be known before reading on, and tables."""

    title: str
    subtitle: str
    notes: Sequence[str]
    tables: Sequence[Table]


def monthly_sheet(report: Mapping[str, Any]) -> Sheet:
    """Return the sheet of a monthly report as `portal.answers.reports.monthly` gives it."""
    name = report["display_name"] or report["tenant"]
    tables = [Table("Licenses", ("Figure", "Value"), _figures(report), numbers=True)]
    if report["factors"]:
        rows = [(row["label"], _number(row["last"]), _number(row["average"])) for row in report["factors"]]
        tables.append(Table("License factors", ("Factor", "At the end", "Average"), rows, numbers=True))
    changes = [
        (_time(change["at"]), part["setting"], _value(part["from"]), _value(part["to"]))
        for change in report["settings_changes"]
        for part in change["changes"]
    ]
    if changes:
        tables.append(Table("Settings changed", ("When", "Setting", "From", "To"), changes, numbers=False))
    return Sheet(f"Licenses of {name}, {report['month']}", report["tenant"], _notes(report), tables)


def _figures(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    licensed, overage, pool = report["currently_licensed"], report["overage"], report["pool"]
    rows = [("Acquired Licenses at the start", _number(pool["at_start"])),
            ("Acquired Licenses at the end", _number(pool["at_end"]))]  # fmt: skip
    if licensed:
        rows += [
            ("Peak", _number(licensed["peak"])),
            ("Peak reached", _time(licensed["peak_at"])),
            ("Average", _number(licensed["average"])),
            ("Currently Licensed at the end", _number(licensed["last"])),
        ]
    if overage:
        about = "" if overage["exact"] else "about "
        rows += [
            ("Hours over the pool", about + _number(overage["hours"])),
            ("License hours over the pool", about + _number(overage["seat_hours"])),
        ]
    return [*rows, ("Seats gained", _number(report["seats"]["gained"])),
            ("Seats lost", _number(report["seats"]["lost"]))]  # fmt: skip


def _notes(report: Mapping[str, Any]) -> list[str]:
    notes = [f"From {_time(report['from'])} to {_time(report['until'])}."]
    if not report["closed"]:
        notes.append("This period is not closed: the figures may still change.")
    if report["demo"]:
        notes.append("Made-up demo data.")
    if report["resolution"] is None:
        notes.append("No count is on record.")
    else:
        notes.append(_RESOLUTIONS[report["resolution"]])
        if report["covered_from"] != report["from"]:
            notes.append(f"The first count is of {_time(report['covered_from'])}; averages begin there.")
    return notes


def _number(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def _time(text: str) -> str:
    return f"{text[:10]} {text[11:19]} UTC"


def _value(value: Any) -> str:
    if value is None or value == []:
        return _NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
