"""Owns the question for a range of counts: which table answers, in SQL that returns a piece a bucket."""

from datetime import datetime
from typing import Any

from licensing.factors import FACTORS
from portal.ports import Bucket
from portal.store.clients import Clients, ask
from portal.store.pieces import Figures, Piece, fill
from schemas.times import to_ms

_CLOSED = ((86_400, "license_counts_daily"), (3_600, "license_counts_hourly"))
_FIGURES = (
    "currently_licensed", "acquired_licenses", "user_licenses", "dr_phone_licenses",
    *(f"{factor.name}_{what}" for factor in FACTORS for what in ("counted", "matched")), "demo",
)  # fmt: skip
_LIST = ", ".join(_FIGURES)

_PROGRESS = "SELECT toUnixTimestamp(closed) FROM rollup_progress FINAL WHERE name = {name:String}"


def buckets(clients: Clients, tenant: str, start: datetime, end: datetime, step_s: int, now: datetime) -> list[Bucket]:
    """Return whole buckets on multiples of the step since 1970 that touch [start, end), none of them beyond `now`."""
    first = to_ms(start) // 1_000 // step_s * step_s
    until = min(-(-to_ms(end) // 1_000 // step_s) * step_s, -(-to_ms(now) // 1_000))
    table, unit_s = next(((name, unit) for unit, name in _CLOSED if step_s % unit == 0), (None, 0))
    closed = closed_until(clients, table) if table else 0
    parameters = {"tenant": tenant, "start": first, "end": until, "step": step_s, "closed": closed}
    before = ask(clients, carried_sql(table if first <= closed else None, unit_s), parameters)
    rows = ask(clients, pieces_sql(table, unit_s), parameters)
    carried = _figures(before[0]) if before else None
    return fill({int(row[0]): _piece(row) for row in rows}, carried, first, until, step_s)


def closed_until(clients: Clients, table: str) -> int:
    """Return up to where a table of closed buckets has been computed, in seconds since 1970."""
    progress = ask(clients, _PROGRESS, {"name": table})
    return int(progress[0][0]) if progress else 0


def pieces_sql(table: str | None, unit_s: int) -> str:
    """Return the question for pieces. Parameters: tenant, start, end, step, closed.

    With a table of closed buckets of `unit_s`: those up to `closed`, and raw rows from there on.
    """
    raw_from = "greatest({start:UInt32}, {closed:UInt32})" if table else "{start:UInt32}"
    source = f"""SELECT toUnixTimestamp(at) AS second, second AS first, second AS end, min AS low, max AS high,
        0. AS area, {_LIST}
    FROM license_counts FINAL
    WHERE tenant = {{tenant:String}} AND at >= toDateTime({raw_from}, 'UTC')
        AND at < toDateTime({{end:UInt32}}, 'UTC')"""
    if table:
        source += f"""
    UNION ALL
    SELECT toUnixTimestamp(at) AS second, toUnixTimestamp(first_at) AS first, second + {unit_s} AS end,
        min AS low, max AS high, avg * (end - first) AS area, {_LIST}
    FROM {table} FINAL
    WHERE tenant = {{tenant:String}} AND at >= toDateTime({{start:UInt32}}, 'UTC')
        AND at < toDateTime(least({{end:UInt32}}, {{closed:UInt32}}), 'UTC')"""
    return f"""SELECT intDiv(second, {{step:UInt32}}) * {{step:UInt32}} AS bucket,
    min(first), max(end), min(low), max(high), sum(area) + arraySum(arrayMap((here, next) -> here.3 * (next.1 - here.2),
        arrayPopBack(arraySort(groupArray((toInt64(first), toInt64(end), toInt64(currently_licensed)))) AS rows),
        arrayPopFront(rows))),
    argMax(tuple({_LIST}), second)
FROM (
    {source}
)
GROUP BY bucket"""


def carried_sql(table: str | None, unit_s: int) -> str:
    """Return the question for what held before the range. Parameters: tenant, start.

    With a table of closed buckets, which reaches up to the start: its last one. Else the last raw row, or the last hour
    where the rows are gone. The time of the row is looked up first, in the order of the key: reading whole rows in that
    order is far slower.
    """
    sources = ((table, unit_s),) if table else (("license_counts", 1), ("license_counts_hourly", 3_600))
    parts = (
        f"""SELECT toUnixTimestamp(at) AS second, {_LIST} FROM {source} FINAL
WHERE tenant = {{tenant:String}} AND at = (
    SELECT at FROM {source} WHERE tenant = {{tenant:String}}
        AND at <= toDateTime({{start:UInt32}} - {length_s}, 'UTC') ORDER BY at DESC LIMIT 1
)"""
        for source, length_s in sources
    )
    # A bucket begins no later than its last row: where both are there, the row wins, or says the same.
    return f"SELECT {_LIST} FROM (\n{' UNION ALL '.join(parts)}\n) ORDER BY second DESC LIMIT 1"


def _piece(row: tuple[Any, ...]) -> Piece:
    _, first, end, low, high, area, last = row
    return Piece(int(first), int(end), int(low), int(high), float(area), _figures(last))


def _figures(row: tuple[Any, ...]) -> Figures:
    licensed, acquired, user_licenses, dr_phone_licenses = row[:4]
    return Figures(licensed, acquired, user_licenses, dr_phone_licenses, row[4:-1], bool(row[-1]))
