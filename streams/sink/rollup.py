"""Owns the closed buckets of history, hourly and daily: recomputed whole from raw rows, a repeat changes nothing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from clickhouse_connect.driver.client import Client

from licensing.factors import FACTORS
from streams.sink.ports import Clients

GRACE_S = 120
"""A bucket is computed this long after its end; rows that come later still have it computed again."""
_ROWS_AT_ONCE = 2_000_000
_SLACK_S = 60  # rows of an insert that was under way when the last run looked


@dataclass(frozen=True, slots=True)
class Resolution:
    """A table of closed buckets and their length."""

    table: str
    step_s: int


RESOLUTIONS = (Resolution("license_counts_hourly", 3_600), Resolution("license_counts_daily", 86_400))

LAST = (
    "currently_licensed", "acquired_licenses", "user_licenses", "dr_phone_licenses", "enabled",
    *(f"{factor.name}_{what}" for factor in FACTORS for what in ("counted", "matched")),
)  # fmt: skip
"""Columns of a count row that a bucket takes from its last row."""


def roll_up(clients: Clients) -> int:
    """Compute the buckets that have closed, or got rows, since the last run; return how many tables had any."""
    with clients.lease() as client:
        return sum(_roll(client, resolution) for resolution in RESOLUTIONS)


def _roll(client: Client, resolution: Resolution) -> bool:
    now = int(client.query("SELECT toUnixTimestamp(now())").result_rows[0][0])
    progress = client.query(_PROGRESS, parameters={"name": resolution.table}).result_rows
    through, closed_before = progress[0] if progress else (0, 0)
    closed = (now - GRACE_S) // resolution.step_s * resolution.step_s
    return compute(client, resolution, Window(max(0, through - _SLACK_S), closed_before, closed), now)


@dataclass(frozen=True, slots=True)
class Window:
    """Which buckets are due, in seconds since 1970: those closed at `closed` that were not at `closed_before`, and
    closed ones with rows inserted since `since`."""

    since: int
    closed_before: int
    closed: int


def compute(client: Client, resolution: Resolution, window: Window, through: int) -> bool:
    """Compute the buckets of a window, and note the progress; return whether there were any."""
    due = asdict(window)
    rows, first = client.query(_TOUCHED, parameters=due).result_rows[0]
    for begin, end in _slices(rows, first, window.closed, resolution.step_s):
        client.command(rollup_sql(resolution), parameters=due | {"first": begin, "end": end})
    client.command(
        "INSERT INTO rollup_progress SELECT {name:String}, toDateTime({through:UInt32}), toDateTime({closed:UInt32})",
        parameters={"name": resolution.table, "through": through, "closed": window.closed},
    )
    return bool(rows)


def _slices(rows: int, first: int, closed: int, step_s: int) -> Iterator[tuple[int, int]]:
    """Cut [first, closed) where it holds more rows than one statement should keep in memory."""
    if not rows:
        return
    first = first // step_s * step_s
    length = -(-(closed - first) // (1 + rows // _ROWS_AT_ONCE) // step_s) * step_s
    for begin in range(first, closed, length):
        yield begin, min(begin + length, closed)


_PROGRESS = (
    "SELECT toUnixTimestamp(through), toUnixTimestamp(closed) FROM rollup_progress FINAL WHERE name = {name:String}"
)
_IS_TOUCHED = (
    "at < toDateTime({closed:UInt32})"
    " AND (inserted_at >= toDateTime({since:UInt32}) OR at >= toDateTime({closed_before:UInt32}))"
)
_TOUCHED = f"SELECT count(), toUnixTimestamp(min(at)) FROM license_counts WHERE {_IS_TOUCHED}"


def rollup_sql(resolution: Resolution) -> str:
    """Return the statement that computes the touched buckets. Parameters: since, closed, closed_before, first, end.

    In a bucket: `rows` are (at, licensed) in order. What was in force before its first row (`previous`) holds from the
    bucket's start; the last row holds to its end.
    """
    step = resolution.step_s
    bucket = f"toDateTime(intDiv(toUnixTimestamp(at), {step}) * {step}, 'UTC')"
    last = ", ".join(f"last.{place}" for place in range(1, len(LAST) + 1))
    return f"""INSERT INTO {resolution.table} (tenant, at, first_at, min, max, avg, {", ".join(LAST)}, demo, rolled_at)
WITH toInt64(toUnixTimestamp(bucket)) AS start, start + {step} AS end,
    isNotNull(carried) AND rows[1].1 > start AS has_carried,
    if(has_carried, start, rows[1].1) AS covered,
    arraySum(arrayMap((row, next) -> row.2 * (next - row.1),
        rows, arrayPushBack(arrayPopFront(rows.1), end))) AS area
SELECT tenant, bucket, toDateTime(covered, 'UTC'),
    if(has_carried, least(low, assumeNotNull(carried)), low),
    if(has_carried, greatest(high, assumeNotNull(carried)), high),
    (area + if(has_carried, assumeNotNull(carried) * (rows[1].1 - start), 0)) / (end - covered),
    {last}, demo, now64(3)
FROM (
    SELECT tenant, {bucket} AS bucket, min(license_counts.min) AS low, max(license_counts.max) AS high,
    argMin(tuple(previous), at).1 AS carried, max(license_counts.demo) AS demo,
    arraySort(groupArray((toInt64(toUnixTimestamp(at)), toInt64(currently_licensed)))) AS rows,
    argMax(tuple({", ".join(LAST)}), at) AS last
    FROM license_counts FINAL
    WHERE at >= toDateTime({{first:UInt32}}) AND at < toDateTime({{end:UInt32}})
    AND (tenant, {bucket}) IN (SELECT tenant, {bucket} FROM license_counts WHERE {_IS_TOUCHED})
    GROUP BY tenant, bucket
)"""
