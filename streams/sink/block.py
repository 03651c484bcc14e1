"""Owns how records are gathered into blocks: as large as ClickHouse likes them, as soon as a reader expects them."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

MAX_ROWS = 50_000
MAX_BYTES = 32 * 1024 * 1024
MAX_WAIT_S = 0.3
_POLL_MS = 50


@dataclass(slots=True)
class Block:
    """Records by full topic name, and the offset to go on from by partition."""

    records: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    offsets: dict[Any, int] = field(default_factory=dict)
    rows: int = 0
    bytes: int = 0

    def add(self, fetched: dict[Any, list[Any]]) -> None:
        """Add what a fetch brought."""
        for partition, records in fetched.items():
            self.records[partition.topic].extend(records)
            self.offsets[partition] = records[-1].offset + 1
            self.rows += len(records)
            self.bytes += sum([max(each.serialized_value_size, 0) for each in records])


async def read_block(consumer: Any) -> Block:
    """Gather records until there are enough of them, or the first has waited for MAX_WAIT_S. May come back empty.

    The bounds are soft by one fetch. With little traffic a record waits one poll. What is fetched while ClickHouse is
    away is bounded by the consumer's own buffers, for nobody asks it for more.
    """
    block, deadline = Block(), time.monotonic() + MAX_WAIT_S
    while block.rows < MAX_ROWS and block.bytes < MAX_BYTES and time.monotonic() < deadline:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=MAX_ROWS - block.rows)
        if not fetched:
            break
        block.add(fetched)
    return block
