"""Owns one partition of a topic in memory: records with offsets, appends, compaction that leaves gaps."""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from streams.protocol.effects import Appended, Item


class Stored(NamedTuple):
    """One record as a broker has it; `timestamp` in ms since 1970."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


class MemoryLog:
    """Records in the order of their offsets."""

    def __init__(self) -> None:
        self.records: list[Stored] = []
        self.history: list[Stored] = []
        """All that was ever written, whatever compaction has removed."""
        self.end = 0

    def append(self, items: Sequence[Item], now_ms: int) -> Appended:
        """Append records; one without a time of its own gets the broker's."""
        base = self.end
        for item in items:
            stamp = now_ms if item.timestamp_ms is None else item.timestamp_ms
            self.history.append(Stored(self.end, item.key, item.value, item.headers, stamp))
            self.end += 1
        self.records += self.history[base:]
        return Appended(base, len(items))

    def read(self, start: int, end: int | None = None) -> list[Stored]:
        """Return what is left of the offsets [start, end)."""
        return [record for record in self.records if start <= record.offset and (end is None or record.offset < end)]

    def compact(self, horizon_ms: int) -> None:
        """Keep of each key the newest of the records up to the horizon; a deletion goes as well. Younger records are
        neither removed nor looked at, as with `min.compaction.lag.ms`."""
        old = list(takewhile(lambda record: record.timestamp <= horizon_ms, self.records))
        newest = {record.key: record.offset for record in old}
        kept = [record for record in old if newest[record.key] == record.offset and record.value is not None]
        self.records = kept + self.records[len(old) :]
