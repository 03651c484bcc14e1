"""Owns how rows enter ClickHouse: JSON lines as they are, by `raw_insert`."""

from collections.abc import Iterable

from streams.sink.ports import Clients

_SETTINGS = {
    "date_time_input_format": "best_effort",
    "input_format_skip_unknown_fields": 1,
    # A block that a replicated table has seen is skipped together with its materialized views; a crash between table
    # and views would then lose the views' rows for good. Rows have identities, so a repeat is harmless without it.
    "insert_deduplicate": 0,
}


class ClickHouseRows:
    """Rows into the tables of `runtime/clickhouse/migrations`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def insert(self, table: str, lines: Iterable[bytes]) -> None:
        with self._clients.lease() as client:
            client.raw_insert(table, insert_block=b"\n".join(lines), fmt="JSONEachRow", settings=_SETTINGS)
