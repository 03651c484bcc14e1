"""Owns the SQL of what counts were over a period: rows of many tenants, summed to a stretch each, at one resolution."""

from dataclasses import dataclass

from licensing.factors import FACTORS
from portal.ports import Resolution

_COUNTED = [f"{factor.name}_counted" for factor in FACTORS]
_MATCHED = [f"{factor.name}_matched" for factor in FACTORS]
LEVEL = ", ".join(
    ["currently_licensed", "acquired_licenses", "user_licenses", "dr_phone_licenses", "enabled", *_COUNTED, *_MATCHED]
)
"""Columns of a level, in the order in which `portal.store.usage` reads them."""
_RAW = "license_counts"


@dataclass(frozen=True, slots=True)
class Source:
    """A table that answers at a resolution; `unit_s` is the length of its rows, 0 of raw ones."""

    table: str
    unit_s: int


SOURCES: dict[Resolution, Source] = {
    "second": Source(_RAW, 0),
    "hour": Source("license_counts_hourly", 3_600),
    "day": Source("license_counts_daily", 86_400),
}

_TENANTS = "tenant IN {tenants:Array(String)}"
_FROM = "at >= toDateTime({start:UInt32}, 'UTC')"
_UNTIL = "at < toDateTime({end:UInt32}, 'UTC')"
_CLOSED = "toDateTime({closed:UInt32}, 'UTC')"
_CLOSED_DAY = "toDateTime({closed_day:UInt32}, 'UTC')"
_IS_OVER = "(here.4 >= 0 AND here.3 > here.4)"
# What is summed: its own within a bucket, and what holds from one row to the next.
_SUMS = (
    ("own_area", "here.3"),
    ("own_over_s", f"toInt64({_IS_OVER})"),
    ("own_over_area", f"if({_IS_OVER}, here.3 - here.4, 0)"),
    *((f"own_{name}", f"here.{place}") for place, name in enumerate(_COUNTED, start=5)),
)


def inventory_sql(source: Source) -> str:
    """Return the question for what a table has of a period, as (tenant, rows, closed hours and closed days with a row).
    Parameters: tenants, start, end, closed, closed_day."""
    return f"""SELECT tenant, count(), uniqExactIf(intDiv(toUnixTimestamp(at), 3600), at < {_CLOSED}),
    uniqExactIf(intDiv(toUnixTimestamp(at), 86400), at < {_CLOSED_DAY})
FROM {source.table} WHERE {_TENANTS} AND {_FROM} AND {_UNTIL} GROUP BY tenant"""


def stretches_sql(source: Source) -> str:
    """Return the question for a stretch a tenant. Parameters: tenants, start, end, closed.

    Of closed buckets those before `closed`, and raw rows from there on. Between two rows the first one's level holds.
    All is summed in whole numbers: sums of fractions differ by the order in which threads come.
    """
    rows = _raw_rows(f"{_FROM} AND at >= {_CLOSED}") if source.unit_s else _raw_rows(_FROM)
    if source.unit_s:
        rows = f"{_bucket_rows(source)}\n    UNION ALL\n    {rows}"
    sums = ",\n    ".join(
        f"sum({own}) + arraySum(arrayMap((here, next) -> {held} * (next.1 - here.2),"
        " arrayPopBack(held), arrayPopFront(held)))"
        for own, held in _SUMS
    )
    counted = ", ".join(f"toInt64({name})" for name in _COUNTED)
    return f"""WITH arraySort(groupArray((first, end, toInt64(currently_licensed), pool, {counted}))) AS held
SELECT tenant, min(first), max(end),
    {sums},
    max(high), argMax(first, (high, -first)), max(pool >= 0), max(crosses), max(demo), argMax(tuple({LEVEL}), first)
FROM (
    {rows}
)
GROUP BY tenant"""


def levels_sql(where: str) -> str:
    """Return the question for the level of each tenant at an instant, which is a full hour: the newest of what ends by
    then. `where` narrows it by `at`. Parameters: tenants, end, closed, closed_day, and those of `where`."""
    # Rows that replace each other are told apart by their version: FINAL takes far longer for a few columns.
    parts = [
        _level_rows(_RAW, 1, "version", f"{_UNTIL} AND at >= {_CLOSED} AND {where}"),
        _level_rows("license_counts_hourly", 3_600, "rolled_at", f"{_UNTIL} AND at < {_CLOSED} AND {where}"),
        _level_rows(
            "license_counts_daily", 86_400, "rolled_at",
            f"at <= toDateTime({{end:UInt32}} - 86400, 'UTC') AND at < {_CLOSED_DAY}"
            f" AND {where}",
        ),
    ]  # fmt: skip
    union = "\n    UNION ALL\n    ".join(parts)
    return f"""SELECT tenant, argMax(level, (until, unit)).1, argMax(demo, (until, unit)) FROM (
    {union}
)
GROUP BY tenant"""


def _level_rows(table: str, unit_s: int, version: str, where: str) -> str:
    return f"""SELECT tenant, toInt64(toUnixTimestamp(at)) + {unit_s} AS until, -{unit_s} AS unit,
        tuple(argMax(tuple({LEVEL}), {version})) AS level, argMax(demo, {version}) AS demo
    FROM {table} WHERE {_TENANTS} AND {where} GROUP BY tenant, at"""


def _raw_rows(where: str) -> str:
    zeros = ", ".join(f"toInt64(0) AS {own}" for own, _ in _SUMS)
    return f"""SELECT tenant, toInt64(toUnixTimestamp(at)) AS first, first AS end, {zeros}, toInt64(max) AS high,
        ifNull(toInt64(acquired_licenses), -1) AS pool, false AS crosses, demo, {LEVEL}
    FROM {_RAW} FINAL WHERE {_TENANTS} AND {where} AND {_UNTIL}"""


def _bucket_rows(source: Source) -> str:
    counted = ", ".join(f"toInt64({name}) * (end - first) AS own_{name}" for name in _COUNTED)
    # Where the count crosses the pool within a bucket, as if it had only its lowest and its highest value.
    over = "multiIf(pool < 0 OR max <= pool, 0., min > pool, 1., (avg - min) / (toFloat64(max) - min))"
    beyond = "multiIf(pool < 0 OR max <= pool, 0., min > pool, avg - pool, share * (toFloat64(max) - pool))"
    return f"""SELECT tenant, toInt64(toUnixTimestamp(first_at)) AS first,
        toInt64(toUnixTimestamp(at)) + {source.unit_s} AS end, toInt64(round(avg * (end - first))) AS own_area,
        toInt64(round(share * (end - first))) AS own_over_s, toInt64(round(beyond * (end - first))) AS own_over_area,
        {counted}, toInt64(max) AS high, pool, crosses, demo, {LEVEL}
    FROM (
        SELECT *, ifNull(toInt64(acquired_licenses), -1) AS pool, {over} AS share, {beyond} AS beyond,
            pool >= 0 AND max > pool AND min <= pool AS crosses
        FROM {source.table} FINAL WHERE {_TENANTS} AND {_FROM} AND {_UNTIL} AND at < {_CLOSED}
    )"""


MOVES = f"""SELECT tenant, countIf(NOT was AND is_now), countIf(was AND NOT is_now) FROM (
    SELECT changes.tenant AS tenant, bitAnd(old, masks.mask) != 0 AS was, bitAnd(new, masks.mask) != 0 AS is_now
    FROM (
        SELECT toString(tenant) AS tenant, recorded_at, ifNull(old_profile, 0) AS old, new_profile AS new
        FROM seat_changes FINAL WHERE {_TENANTS}
            AND recorded_at >= toDateTime({{start:UInt32}}, 'UTC') AND recorded_at < toDateTime({{end:UInt32}}, 'UTC')
    ) AS changes
    ASOF LEFT JOIN (
        SELECT entry.1 AS tenant, fromUnixTimestamp64Milli(entry.2, 'UTC') AS since, entry.3 AS mask FROM (
            SELECT arrayJoin(arrayZip(
                {{mask_tenants:Array(String)}}, {{mask_since:Array(Int64)}}, {{masks:Array(UInt8)}}
            )) AS entry
        )
    ) AS masks ON changes.tenant = masks.tenant AND changes.recorded_at >= masks.since
)
GROUP BY tenant"""
"""Seats gained and lost by each tenant. Parameters: tenants, start, end; and the enabled factors of each tenant, each
from an instant on (milliseconds since 1970), the first of them from the beginning."""

TENANTS = f"""SELECT DISTINCT toString(tenant) AS name FROM (
    SELECT tenant FROM {_RAW} WHERE {_UNTIL}
    UNION ALL SELECT tenant FROM license_counts_hourly WHERE {_UNTIL}
    UNION ALL SELECT tenant FROM license_counts_daily WHERE {_UNTIL}
) ORDER BY name"""
"""All tenants with a count on record. Parameter: end."""
