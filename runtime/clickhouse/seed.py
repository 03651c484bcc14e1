"""Owns the seeding of history for a demo: rows that say of themselves that they are demo data."""

from collections.abc import Iterable
from itertools import islice

from msgspec.json import encode

from runtime.clickhouse.pool import ClientPool
from schemas.count import Count
from streams.sink.clickhouse import ClickHouseRows
from streams.sink.counts import CountLedger, decode_count
from streams.sink.rollup import roll_up

_BLOCK = 20_000


def seed_history(pool: ClientPool, counts: Iterable[Count]) -> int:
    """Store past counts, oldest first within a tenant, and compute their closed buckets; return the number of rows.

    They are marked as demo data and are nobody's newest count: a tenant's first real count starts its own versions.
    """
    # Raw rows older than the retention may go as soon as they are there; their buckets must be computed before.
    with pool.lease() as client:
        client.command("SYSTEM STOP TTL MERGES license_counts")
    try:
        stored = _insert(ClickHouseRows(pool), counts)
        roll_up(pool)
    finally:
        with pool.lease() as client:
            client.command("SYSTEM START TTL MERGES license_counts")
    return stored


def _insert(rows: ClickHouseRows, counts: Iterable[Count]) -> int:
    ledger, stored = CountLedger(demo=True), 0
    lines = (
        encode(row)
        for row in (ledger.take(decode_count(count.model_dump_json().encode())) for count in counts)
        if row is not None
    )
    while block := list(islice(lines, _BLOCK)):
        rows.insert("license_counts", block)
        stored += len(block)
    return stored
