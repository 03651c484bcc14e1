"""Records, counts and changes as the topics carry them, and doubles at the ports of the sink."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from licensing.factors import FACTORS, counted_factor
from schemas.changes import WireSeatChange
from schemas.count import Cause, Count, FactorCount
from schemas.times import format_time, from_ms

START_MS = 1_790_000_000_000
"""An instant in September 2026."""


def instant(seconds: float) -> datetime:
    """Return the instant so many seconds after START_MS."""
    return from_ms(START_MS + round(seconds * 1_000))


@dataclass
class MemoryRecord:
    """A Kafka record."""

    topic: str
    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = START_MS


@dataclass
class MemoryDeadLetters:
    """Dead letters that are kept in a list: (record, reason, detail)."""

    letters: list[tuple[Any, str, str]] = field(default_factory=list)

    async def send(self, record: Any, reason: str, detail: str) -> None:
        self.letters.append((record, reason, detail))


@dataclass
class MemoryRows:
    """Rows that are kept in lists; a line that holds `poison` is refused as ClickHouse does, with its whole block."""

    tables: dict[str, list[bytes]] = field(default_factory=dict)
    inserts: int = 0

    def insert(self, table: str, lines: Iterable[bytes]) -> None:
        self.inserts += 1
        block = list(lines)
        if any(b"poison" in line for line in block):
            raise DatabaseError("Code: 27. Cannot parse input", code=27)
        self.tables.setdefault(table, []).extend(block)


@dataclass
class FailingRows:
    """Rows behind a ClickHouse that is away for the first `failures` inserts."""

    behind: Any
    failures: int
    error: Exception = field(default_factory=lambda: OperationalError("connection refused"))

    def insert(self, table: str, lines: Iterable[bytes]) -> None:
        if self.failures:
            self.failures -= 1
            raise self.error
        self.behind.insert(table, lines)


def change(subject: str, rev: int, **other: Any) -> WireSeatChange:
    """Return a seat change; what is not given is that of an event with a directory facet."""
    at = other.pop("at", float(rev))
    values: dict[str, Any] = {
        "id": f"{rev:032x}", "tenant": "contoso", "subject": subject, "rev": rev, "kind": "event", "facet": "directory",
        "facts": "", "facts_hash": "00" * 16, "source": "graph", "observed_at": format_time(instant(at)),
        "recorded_at": format_time(instant(at)), "old_profile": None, "new_profile": 0, "settings_revision": 1,
    }  # fmt: skip
    return WireSeatChange(**(values | other))


def change_record(row: WireSeatChange, offset: int = 0, topic: str = "seat-changes") -> MemoryRecord:
    """Return the record that carries a seat change."""
    key = f"{row.tenant}/{row.subject}".encode()
    return MemoryRecord(topic, msgspec.json.encode(row), key, offset=offset)


def count(tenant: str, version: int, at: datetime, licensed: int, **other: Any) -> Count:
    """Return a published count with all of its subjects at Direct Routing."""
    factors = [
        FactorCount(
            factor=factor.name, label=factor.label, priority=factor.priority, optional=factor.optional, enabled=True,
            counted=licensed if factor == counted_factor(1, 31) else 0, matched=licensed if factor.bit == 1 else 0,
            cumulative=licensed, display=f"{licensed} ({licensed})",
        )
        for factor in FACTORS
    ]  # fmt: skip
    values: dict[str, Any] = {
        "tenant": tenant, "epoch": 1, "version": version, "settings_revision": 1, "as_of": at, "computed_at": at,
        "stale": False, "acquired_licenses": 500, "currently_licensed": licensed, "available_licenses": 500 - licensed,
        "usage_percent": licensed / 5, "user_licenses": licensed, "dr_phone_licenses": licensed, "factors": factors,
        "cause": Cause(kind="users", subjects_gained=1), "freshness": {}, "profiles": {"1": licensed},
    }  # fmt: skip
    return Count(**(values | other))


def count_record(value: Count, offset: int = 0, topic: str = "license-counts") -> MemoryRecord:
    """Return the record that carries a count."""
    return MemoryRecord(topic, value.model_dump_json().encode(), value.tenant.encode(), offset=offset)
