"""Owns the reading of whole tables, row by row as JSON, and the order in which a backup reads them.

A row goes through a backup while the sink writes on. No statement reads several tables at one instant, so the order
makes up for it: what follows from something is read before it.

- Facts and profiles follow from seat changes, which are read last and go through the same views when they are put back:
  whatever change came in between is in all three then.
- A mark of a sync is read before the changes that it made: were it newer, what it swept would count as seen by it.
- The newest counts are read before their history. They are computed again from the facts at the next start.
- How far the closed buckets have been computed is read before them, and they before the rows they are computed from.
- What the alert process keeps is read before what it told: the other way round, something told would never be kept.
"""

from collections.abc import Iterator

from portal.store.clients import Clients

TABLES = (
    "schema_migrations",
    "tenant_settings",
    "api_tokens",
    "api_token_uses",
    "rollup_progress",
    "license_counts_hourly",
    "license_counts_daily",
    "latest_counts",
    "license_counts",
    "alert_states",
    "alerts",
    "syncs",
    "sync_marks",
    "seat_facets",
    "subject_profiles",
    "seat_changes",
)

# Plain numbers: quoted ones would come back as well, and cost a fifth of the room.
_SETTINGS = {"output_format_json_quote_64bit_integers": 0}


def snapshot(clients: Clients, table: str) -> Iterator[list[bytes]]:
    """Yield the rows of a table of TABLES in blocks, each row a JSON object; the client is lent until the last one."""
    # One text column, for the driver streams columns, and on the engine in process it holds a whole answer of bytes.
    sql = f"SELECT formatRowNoNewline('JSONEachRow', *) AS line FROM {table} FINAL"
    with (
        clients.lease() as client,
        client.query_column_block_stream(sql, column_formats={"line": "bytes"}, settings=_SETTINGS) as blocks,
    ):
        for block in blocks:
            yield list(block[0])
