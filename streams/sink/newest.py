"""Owns the rows that the count ledger starts from: what ClickHouse has as the newest of each tenant."""

import msgspec

from streams.sink.counts import CountRow
from streams.sink.ports import Clients

_COLUMNS = [field.name for field in msgspec.structs.fields(CountRow)]
_TEXT = {"as_of", "computed_at"}


def newest_rows(clients: Clients) -> list[CountRow]:
    """Return the newest row of each tenant."""
    columns = ", ".join(_select(name) for name in _COLUMNS)
    with clients.lease() as client:
        rows = client.query(f"SELECT {columns} FROM latest_counts FINAL").result_rows
    return [
        msgspec.structs.replace(row, profiles={str(profile): number for profile, number in row.profiles.items()})
        for row in (CountRow(**dict(zip(_COLUMNS, values, strict=True))) for values in rows)
    ]


def _select(name: str) -> str:
    if name == "at":
        return "toUnixTimestamp(at)"
    return f"formatDateTime({name}, '%FT%H:%i:%S.%fZ')" if name in _TEXT else name
