"""Owns the questions for recorded changes of subjects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.ports import ProfileChange
from portal.store.clients import Clients, ask, at_ms, ms
from schemas.times import from_ms, to_ms

_COLUMNS = f"{ms('recorded_at')}, subject, rev, old_profile, new_profile, kind, facet, source"
_OF_TENANT = f"SELECT {_COLUMNS} FROM seat_changes FINAL WHERE tenant = {{tenant:String}}"


def profile_changes(
    clients: Clients, tenant: str, subjects: Sequence[str], until: datetime | None
) -> list[ProfileChange]:
    """Return all changes of these subjects up to `until`, by subject and revision."""
    parameters: dict[str, Any] = {"tenant": tenant, "subjects": list(subjects)}
    sql = f"{_OF_TENANT} AND subject IN {{subjects:Array(String)}}"
    if until is not None:
        parameters["until"] = to_ms(until)
        sql += f" AND recorded_at <= {at_ms('until')}"
    return [_change(row) for row in ask(clients, f"{sql} ORDER BY subject, rev", parameters)]


def changes(
    clients: Clients, tenant: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None, limit: int
) -> list[ProfileChange]:
    """Return changes of [start, end) whose profile moved, in the order of (at, subject, rev), above `after`."""
    parameters: dict[str, Any] = {"tenant": tenant, "start": to_ms(start), "end": to_ms(end), "limit": limit}
    sql = (
        f"{_OF_TENANT} AND recorded_at >= {at_ms('start')} AND recorded_at < {at_ms('end')}"
        " AND ifNull(old_profile, 0) != new_profile"
    )
    if after is not None:
        at, subject, rev = after
        parameters |= {"after": to_ms(at), "after_subject": subject, "after_rev": rev}
        sql += f" AND (recorded_at, subject, rev) > ({at_ms('after')}, {{after_subject:String}}, {{after_rev:UInt64}})"
    sql += " ORDER BY recorded_at, subject, rev LIMIT {limit:UInt32}"
    return [_change(row) for row in ask(clients, sql, parameters)]


def rule_moves(
    clients: Clients, tenant: str, start: datetime, end: datetime | None
) -> list[tuple[int | None, int, int]]:
    """Return the changes of kind `rules` in [start, end), summed: (old profile, new profile, subjects)."""
    parameters: dict[str, Any] = {"tenant": tenant, "start": to_ms(start)}
    sql = (
        "SELECT old_profile, new_profile, count() FROM seat_changes FINAL"
        f" WHERE tenant = {{tenant:String}} AND kind = 'rules' AND recorded_at >= {at_ms('start')}"
    )
    if end is not None:
        parameters["end"] = to_ms(end)
        sql += f" AND recorded_at < {at_ms('end')}"
    sql += " GROUP BY old_profile, new_profile ORDER BY old_profile, new_profile"
    return [(old, int(new), int(subjects)) for old, new, subjects in ask(clients, sql, parameters)]


def _change(row: tuple[Any, ...]) -> ProfileChange:
    at, subject, rev, old, new, kind, facet, source = row
    return ProfileChange(from_ms(at), subject, int(rev), old, int(new), kind, facet, source)
