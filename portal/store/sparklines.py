"""Owns the questions for sparklines: the highest counts of many tenants in a few steps, in one go."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from portal.store.clients import Clients, ask
from portal.store.history import closed_until
from schemas.times import to_ms

_DAY_S = 86_400

_ROWS = """SELECT tenant, toUnixTimestamp(at) AS second, argMax((max, currently_licensed), {version}) AS row
        FROM {table} WHERE tenant IN {{tenants:Array(String)}} AND {where}
        GROUP BY tenant, second"""


def sparklines(
    clients: Clients, tenants: Sequence[str], start: datetime, end: datetime, points: int
) -> dict[str, list[int]]:
    """Return the highest count in each of `points` steps of [start, end), by tenant (see `portal.ports.Store`)."""
    first, until = to_ms(start) // 1_000, -(-to_ms(end) // 1_000)
    step_s = -(-(until - first) // points)
    table = "license_counts_daily" if first % _DAY_S == 0 == step_s % _DAY_S else "license_counts_hourly"
    closed = closed_until(clients, table)
    parameters = {"tenants": list(tenants), "start": first, "end": until, "step": step_s, "closed": closed}
    pieces = dict(ask(clients, pieces_sql(table), parameters))
    # A closed bucket knows what was carried into it; only those without one at the start are asked about before.
    late = [tenant for tenant in tenants if first >= closed or not _begins(pieces.get(tenant, ()))]
    carried = dict(ask(clients, carried_sql(table), parameters | {"tenants": late})) if late else {}
    lines = {tenant: _line(pieces.get(tenant, ()), carried.get(tenant), points) for tenant in tenants}
    return {tenant: line for tenant, line in lines.items() if line}


def pieces_sql(table: str) -> str:
    """Return the question for the steps of each tenant as (step, highest, last). Parameters: tenants, start, end, step,
    closed."""
    return f"""SELECT tenant, arraySort(groupArray((step, high, last))) FROM (
    SELECT tenant, intDiv(second - {{start:UInt32}}, {{step:UInt32}}) AS step,
        max(row.1) AS high, argMax(row.2, second) AS last
    FROM (
        {_rows(table, "at >= toDateTime({start:UInt32}, 'UTC') AND at < toDateTime({end:UInt32}, 'UTC')")}
    )
    GROUP BY tenant, step
)
GROUP BY tenant"""


def carried_sql(table: str) -> str:
    """Return the question for what held before the range. Parameters: tenants, start, closed."""
    return f"""SELECT tenant, argMax(row.2, second) FROM (
        {_rows(table, "at < toDateTime({start:UInt32}, 'UTC')")}
)
GROUP BY tenant"""


def _rows(table: str, where: str) -> str:
    # Closed buckets, and raw rows from there on. Rows that replace each other are told apart here: FINAL takes twice as
    # long for a few columns of many tenants.
    closed = f"{where} AND at < toDateTime({{closed:UInt32}}, 'UTC')"
    raw = f"{where} AND at >= toDateTime({{closed:UInt32}}, 'UTC')"
    return f"""{_ROWS.format(table=table, version="rolled_at", where=closed)}
        UNION ALL
        {_ROWS.format(table="license_counts", version="version", where=raw)}"""


def _begins(pieces: Sequence[Sequence[Any]]) -> bool:
    return bool(pieces) and pieces[0][0] == 0


def _line(pieces: Iterable[Sequence[Any]], carried: int | None, points: int) -> list[int]:
    found = {step: (high, last) for step, high, last in pieces}
    line: list[int] = []
    for step in range(points):
        high, last = found.get(step, (carried, carried))
        if high is not None:
            line.append(high if carried is None else max(high, carried))
        carried = last
    return line
