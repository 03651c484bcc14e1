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

    They are marked as demo data and are nobody's newest count: the first real count of a tenant starts its own versions.
    """
    ledger, rows, stored = CountLedger(demo=True), ClickHouseRows(pool), 0
    lines = (
        encode(row)
        for row in (ledger.take(decode_count(count.model_dump_json().encode())) for count in counts)
        if row is not None
    )
    while block := list(islice(lines, _BLOCK)):
        rows.insert("license_counts", block)
        stored += len(block)
    roll_up(pool)
    return stored
