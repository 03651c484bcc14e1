"""Owns what the sink asks of the world: where rows go, where refused records go, and clients for statements."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client


class Record(Protocol):
    """A Kafka record as aiokafka hands it out; `timestamp` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Rows(Protocol):
    """A place for rows."""

    def insert(self, table: str, lines: Iterable[bytes]) -> None:
        """Insert rows, a JSON object each, all or none. Synchronous. Raises what `streams.sink.retry` classifies."""


class DeadLetters(Protocol):
    """A place for records that cannot be stored."""

    async def send(self, record: Any, reason: str, detail: str) -> None:
        """Keep the original bytes, the reason (one word) and a sentence for people; return once that is certain."""


class Clients(Protocol):
    """Lends ClickHouse clients to threads."""

    def lease(self) -> AbstractContextManager[Client]:
        """Lend a client to the calling thread."""
