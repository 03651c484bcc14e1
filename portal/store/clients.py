"""Owns how the store asks ClickHouse: a client lent for each question, parameters always bound by the server."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client


class Clients(Protocol):
    """Lends ClickHouse clients to threads."""

    def lease(self) -> AbstractContextManager[Client]:
        """Lend a client to the calling thread."""


def ask(clients: Clients, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a question."""
    with clients.lease() as client:
        return [tuple(row) for row in client.query(sql, parameters=dict(parameters)).result_rows]


def stream(clients: Clients, sql: str, parameters: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a question as they come; the client is lent until the last one."""
    with clients.lease() as client, client.query_rows_stream(sql, parameters=dict(parameters)) as rows:
        yield from (tuple(row) for row in rows)


def ms(expression: str) -> str:
    """Return SQL for milliseconds since 1970 of a DateTime64: numbers know no time zone that a driver could mistake."""
    return f"toUnixTimestamp64Milli({expression})"


def at_ms(name: str) -> str:
    """Return SQL for the instant of a parameter in milliseconds since 1970."""
    return f"fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')"


_PURGED_AT = "(SELECT max(at) FROM tenant_settings WHERE tenant = {tenant:String} AND purged)"
AFTER_PURGE = f"recorded_at > {_PURGED_AT}"
"""Condition: recorded after the tenant's last purge."""
ABOVE_FLOOR = (
    f"{AFTER_PURGE} AND NOT ifNull(observed_at <= (SELECT max(removed_at) FROM tenant_settings"
    f" WHERE tenant = {{tenant:String}} AND NOT purged AND removed_at > {_PURGED_AT}), false)"
)
"""Condition: recorded after the tenant's last purge, and observed after its last removal since. What is not is never
shown, also before it is deleted."""
