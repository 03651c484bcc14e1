"""Owns the questions for recorded changes of subjects."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from portal.ports import ProfileChange
from portal.store.clients import Clients, ask, at_ms, ms
from schemas.times import from_ms, to_ms

_COLUMNS = f"{ms('recorded_at')}, subject, rev, old_profile, new_profile, kind, facet, source"
# The revision whose rules a row was told under: the last one up to its own that changed them; 0 before the first.
_RULED_BY = "arrayMax(arrayFilter(each -> each <= settings_revision, {ruling:Array(UInt64)}))"
_RULED = "kind IN ('rules', 'removed')"
# What new rules do to a subject is the first that is told of it under them. A later move under the same rules has
# another reason: a newer version of the program.
_BY_SETTINGS = f"""({_RULED} AND {_RULED_BY} > 0 AND (subject, rev) IN (
    SELECT subject, min(rev) FROM seat_changes
    WHERE tenant = {{tenant:String}}
        AND subject IN (SELECT subject FROM seat_changes WHERE tenant = {{tenant:String}} AND {_RULED})
    GROUP BY subject, {_RULED_BY}
))"""
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
    clients: Clients, tenant: str, start: datetime, end: datetime, after: tuple[datetime, str, int] | None, limit: int,
    ruling: Sequence[int], newest_first: bool = False,
) -> list[ProfileChange]:  # fmt: skip
    """Return changes of [start, end) whose profile moved (see `portal.ports.Store`)."""
    parameters: dict[str, Any] = {"tenant": tenant, "start": to_ms(start), "end": to_ms(end), "limit": limit}
    parameters["ruling"] = list(ruling)
    sql = (
        f"{_OF_TENANT} AND recorded_at >= {at_ms('start')} AND recorded_at < {at_ms('end')}"
        f" AND ifNull(old_profile, 0) != new_profile AND NOT {_BY_SETTINGS}"
    )
    if after is not None:
        at, subject, rev = after
        parameters |= {"after": to_ms(at), "after_subject": subject, "after_rev": rev}
        place = f"({at_ms('after')}, {{after_subject:String}}, {{after_rev:UInt64}})"
        sql += f" AND (recorded_at, subject, rev) {'<' if newest_first else '>'} {place}"
    order = "recorded_at DESC, subject DESC, rev DESC" if newest_first else "recorded_at, subject, rev"
    sql += f" ORDER BY {order} LIMIT {{limit:UInt32}}"
    return [_change(row) for row in ask(clients, sql, parameters)]


def rule_moves(
    clients: Clients, tenant: str, revision: int, ruling: Sequence[int]
) -> list[tuple[int | None, int, int]]:
    """Return what the rules of a revision moved, summed: (old profile, new profile, subjects)."""
    sql = (
        "SELECT old_profile, new_profile, count() FROM seat_changes FINAL WHERE tenant = {tenant:String}"
        f" AND {_RULED_BY} = {{revision:UInt64}} AND {_BY_SETTINGS}"
        " GROUP BY old_profile, new_profile ORDER BY old_profile, new_profile"
    )
    rows = ask(clients, sql, {"tenant": tenant, "revision": revision, "ruling": list(ruling)})
    return [(old, int(new), int(subjects)) for old, new, subjects in rows]


def _change(row: tuple[Any, ...]) -> ProfileChange:
    at, subject, rev, old, new, kind, facet, source = row
    return ProfileChange(from_ms(at), subject, int(rev), old, int(new), kind, facet, source)
