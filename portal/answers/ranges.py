"""Owns ranges of time: what people write (`30d`, `2026-03`, ISO times), and the step that a range is drawn with."""

import re
from datetime import UTC, datetime, timedelta

from schemas.times import EPOCH, format_time, from_ms, parse_time, to_ms

MAX_POINTS = 1_000
"""What `auto` aims at; an explicit step may give up to ten times as many."""
STEPS_S = (1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 7 * 86_400, 28 * 86_400)

_SPAN = re.compile(r"^(\d{1,6})([smhdwy])\Z")
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_PERIOD = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z")


class RangeError(ValueError):
    """A time, range or step that cannot be used; the text says what is taken."""


def parse_range(start: str | None, end: str | None, now: datetime) -> tuple[datetime, datetime]:
    """Return [start, end) of two texts: `30d` (ago), `2026-03` (its start, or as end: its end), RFC 3339, or nothing.

    Without an end: now, or the end of the period that `start` names. Without a start: a day before the end.
    """
    until = _end(end, now) if end else _end(start, now) if start and _PERIOD.match(start) else now
    # Nothing is on record from before 1970, and the store has no time for it.
    until = min(max(until, EPOCH), now)
    since = max(_start(start, now) if start else until - timedelta(days=1), EPOCH)
    if since >= until:
        raise RangeError(
            f"the range is empty: it starts at {format_time(since)} and ends at {format_time(until)}"
            " (a range cannot reach beyond now, nor before 1970); give an earlier start or a later end"
        )
    return since, until


def parse_instant(text: str, now: datetime) -> datetime:
    """Return the instant that a text names: `30d` ago, the start of `2026-03-03`, or an RFC 3339 time."""
    return _start(text, now)


def choose_step(step: str | None, start: datetime, end: datetime, points: int = MAX_POINTS) -> int:
    """Return the step in seconds: `auto` (or None) stays within so many points, else `300` or `1m`, `1h`, `1d`."""
    length_s = max(1, -(-(to_ms(end) - to_ms(start)) // 1_000))
    if step is None or step == "auto":
        return next((step_s for step_s in STEPS_S if length_s <= step_s * points), STEPS_S[-1])
    match = _SPAN.match(f"{step}s" if step.isdigit() else step)
    step_s = int(match[1]) * _UNIT_S[match[2]] if match else 0
    if step_s < 1:
        raise RangeError(f"a step is auto, 1m, 1h, 1d or a number of seconds, not {step[:40]!r}")
    if length_s > step_s * MAX_POINTS * 10:
        raise RangeError(
            f"a step of {step} gives {length_s // step_s:,} points; at most {MAX_POINTS * 10:,} are given:"
            " take a longer step, a shorter range, or auto"
        )
    return step_s


def _start(text: str, now: datetime) -> datetime:
    return _relative(text, now) or _period(text, 0) or _iso(text)


def _end(text: str, now: datetime) -> datetime:
    return _relative(text, now) or _period(text, 1) or _iso(text)


def _relative(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    match = _SPAN.match(text)
    if match is None:
        return None
    try:
        return now - timedelta(seconds=int(match[1]) * _UNIT_S[match[2]])
    except OverflowError as error:
        raise _bad(text) from error


def _period(text: str, after: int) -> datetime | None:
    """Return the start of a year, month or day (`after` 0), or of the one that follows (1)."""
    match = _PERIOD.match(text)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        if match[3]:
            return datetime(year, month, day, tzinfo=UTC) + timedelta(days=after)
        if match[2]:
            months = year * 12 + month - 1 + after
            datetime(year, month, 1, tzinfo=UTC)
            return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
        return datetime(year + after, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise _bad(text) from error


def _iso(text: str) -> datetime:
    try:
        return from_ms(to_ms(parse_time(text)))
    except ValueError as error:
        raise _bad(text) from error


def _bad(text: str) -> RangeError:
    return RangeError(
        f"a time is 30d or 12h (ago), 2026-03 or 2026-03-03, or RFC 3339 with an offset such as"
        f" 2026-11-24T10:00:00Z, not {text[:60]!r}"
    )
