"""Owns the periods of reports: months and the daily stroke, in UTC, and how far each is closed."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from portal.answers.ranges import RangeError, parse_range
from schemas.times import format_time, from_ms, to_ms

STROKE = timedelta(hours=12)
"""When the daily report says what is in force, after midnight UTC."""

_MONTH = re.compile(r"^\d{4}-\d{2}\Z")
_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Month:
    """A month: [start, end), of which [start, until) has been."""

    name: str
    start: datetime
    end: datetime
    until: datetime


def parse_month(text: str | None, now: datetime) -> Month:
    """Return the month that a text names; without one, the last that has ended. Raises RangeError."""
    name = text if text is not None else f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"
    if not _MONTH.match(name):
        raise RangeError(f"a month is written 2026-10, not {name[:40]!r}")
    # Read as of the far end of all time, so that it is whole; then cut at now.
    start, end = parse_range(name, None, datetime(9999, 12, 1, tzinfo=UTC))
    if start >= now:
        raise RangeError(
            f"the month {name} begins at {format_time(start)}, which is still to come: take an earlier one"
        )
    return Month(name, start, end, min(end, from_ms(to_ms(now) // 1_000 * 1_000)))


def latest_months(now: datetime, number: int) -> list[str]:
    """Return the names of so many months, the current one first."""
    months = [now.year * 12 + now.month - 1 - back for back in range(number)]
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in months]


def parse_stroke(text: str | None, now: datetime) -> datetime:
    """Return the stroke of the day that a text names; without one, the last that there was. Raises RangeError."""
    name = text if text is not None else f"{now - STROKE:%Y-%m-%d}"
    if not _DAY.match(name):
        raise RangeError(f"a date is written 2026-10-31, not {name[:40]!r}")
    start, _ = parse_range(name, None, datetime(9999, 12, 1, tzinfo=UTC))
    if start + STROKE > now:
        raise RangeError(
            f"the report of {name} is of {format_time(start + STROKE)}, which is still to come: take an earlier date"
        )
    return start + STROKE
