"""Owns the held syncs that a start on an empty broker puts back: without them, counts would lose the hint
`sync_held`."""

from runtime.clickhouse.pool import ClientPool
from schemas.commands import SyncRun
from schemas.times import from_ms

# The run that began last decides, as in the counter. A run that was confirmed keeps its start, and FINAL gives its
# newest state.
_HELD = """SELECT tenant, facet, source, newest.1, newest.2, newest.3, newest.4, newest.5, newest.6 FROM (
    SELECT tenant, facet, source, argMax(tuple(
        id, by, toUnixTimestamp64Milli(sent_at), toUnixTimestamp64Milli(started_at), seen, expected, status
    ), started_at) AS newest
    FROM syncs FINAL GROUP BY tenant, facet, source
) WHERE newest.7 = 'held' ORDER BY tenant, facet, source"""


def held_syncs(pool: ClientPool) -> list[SyncRun]:
    """Return the newest run of each tenant, facet and source if it is held."""
    with pool.lease() as client:
        rows = client.query(_HELD).result_rows
    return [
        SyncRun(
            id=name, tenant=tenant, by=by, sent_at=from_ms(sent_ms), facet=facet, source=source,
            started_at=from_ms(started_ms), seen=seen, expected=expected, status="held",
        )
        for tenant, facet, source, name, by, sent_ms, started_ms, seen, expected in rows
    ]  # fmt: skip
