"""Owns the closed buckets of history, hourly and daily: recomputed whole from raw rows, a repeat changes nothing."""

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from licensing.factors import FACTORS
from streams.sink.ports import Clients

GRACE_S = 120
"""A bucket is computed this long after its end; rows that come later still have it computed again."""
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
    closed = (now - GRACE_S) // resolution.step_s * resolution.step_s
    progress = client.query(_PROGRESS, parameters={"name": resolution.table}).result_rows
    through, closed_before = progress[0] if progress else (0, 0)
    since = max(0, through - _SLACK_S)
    touched = client.query(_TOUCHED, parameters={"since": since, "closed": closed, "closed_before": closed_before})
    rows, first = touched.result_rows[0]
    if rows:
        client.command(
            rollup_sql(resolution),
            parameters={"since": since, "closed": closed, "closed_before": closed_before, "first": first},
        )
    client.command(
        "INSERT INTO rollup_progress SELECT {name:String}, toDateTime({through:UInt32}), toDateTime({closed:UInt32})",
        parameters={"name": resolution.table, "through": now, "closed": closed},
    )
    return bool(rows)


_PROGRESS = (
    "SELECT toUnixTimestamp(through), toUnixTimestamp(closed) FROM rollup_progress FINAL WHERE name = {name:String}"
)
_IS_TOUCHED = (
    "at < toDateTime({closed:UInt32})"
    " AND (inserted_at >= toDateTime({since:UInt32}) OR at >= toDateTime({closed_before:UInt32}))"
)
_TOUCHED = f"SELECT count(), toUnixTimestamp(min(at)) FROM license_counts WHERE {_IS_TOUCHED}"


def rollup_sql(resolution: Resolution) -> str:
    """Return the statement that computes the touched buckets. Parameters: since, closed, closed_before, first.

    In a bucket: `rows` are (at, licensed) in order. What was in force before its first row (`previous`) holds from the
    bucket's start; the last row holds to its end.
    """
    step = resolution.step_s
    bucket = f"toDateTime(intDiv(toUnixTimestamp(at), {step}) * {step}, 'UTC')"
    last = ",\n    ".join(f"argMax(tuple({column}), at).1 AS last_{column}" for column in LAST)
    return f"""INSERT INTO {resolution.table} (tenant, at, first_at, min, max, avg, {", ".join(LAST)}, demo, rolled_at)
WITH toUnixTimestamp(bucket) AS start, start + {step} AS end,
    isNotNull(carried) AND rows[1].1 > start AS has_carried,
    if(has_carried, start, rows[1].1) AS covered,
    arraySum(arrayMap((row, next) -> row.2 * (next - row.1),
        rows, arrayPushBack(arrayPopFront(rows.1), end))) AS area
SELECT tenant, bucket, toDateTime(covered, 'UTC'),
    if(has_carried, least(low, assumeNotNull(carried)), low),
    if(has_carried, greatest(high, assumeNotNull(carried)), high),
    (area + if(has_carried, assumeNotNull(carried) * (rows[1].1 - start), 0)) / (end - covered),
    {", ".join(f"last_{column}" for column in LAST)}, demo, now64(3)
FROM (
    SELECT tenant, {bucket} AS bucket, min(license_counts.min) AS low, max(license_counts.max) AS high,
    argMin(tuple(previous), at).1 AS carried, max(license_counts.demo) AS demo,
    arraySort(groupArray((toInt64(toUnixTimestamp(at)), toInt64(currently_licensed)))) AS rows,
    {last}
    FROM license_counts FINAL
    WHERE at >= toDateTime(intDiv({{first:UInt32}}, {step}) * {step}, 'UTC')
    AND at < toDateTime({{closed:UInt32}}, 'UTC')
    AND (tenant, {bucket}) IN (SELECT tenant, {bucket} FROM license_counts WHERE {_IS_TOUCHED})
    GROUP BY tenant, bucket
)"""
