"""Owns that a batch is stored whatever happens: waits while ClickHouse is away, bisects around bad rows."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import structlog

from streams.sink.metrics import CLICKHOUSE_UP, DEAD_LETTERS, INSERT_S, RETRIES, STORED
from streams.sink.ports import DeadLetters, Rows
from streams.sink.processors import Batch, Reject
from streams.sink.retry import classify, pauses

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Storing:
    """Stores batches and runs statements, for ever where that takes for ever; `pauses` is for tests."""

    def __init__(self, rows: Rows, dead_letters: DeadLetters, pauses: Callable[[], Iterator[float]] = pauses) -> None:
        self._rows, self._dead_letters, self._pauses = rows, dead_letters, pauses

    async def store(self, batch: Batch) -> None:
        """Store a batch; rows that ClickHouse cannot take become dead letters. Raises fatal errors alone."""
        waiting = [batch] if batch.lines else []
        while waiting:
            part = waiting.pop()
            error = await self._insert(part)
            if error is None:
                STORED.labels(part.table).inc(len(part.lines))
            elif len(part.lines) == 1:
                await self.reject(Reject(part.records[0], "not_storable", f"ClickHouse refused the row: {error}"))
            else:
                first, second = part.halves()
                waiting += [
                    second,
                    first,
                ]  # the first half is stored first: order decides which of two equal rows stays

    async def reject(self, reject: Reject) -> None:
        """Hand a record to the dead letters."""
        DEAD_LETTERS.labels("sink", reject.reason).inc()
        _log.warning(
            "record_rejected", topic=reject.record.topic, partition=reject.record.partition,
            offset=reject.record.offset, reason=reject.reason,
        )  # fmt: skip
        await self._dead_letters.send(reject.record, reject.reason, reject.detail[:1_000])

    async def _insert(self, batch: Batch) -> Exception | None:
        """Insert; return the error of a bad row."""
        try:
            await self.persist(lambda: self._rows.insert(batch.table, batch.lines), batch.table)
        except Exception as error:
            if classify(error) != "bisect":
                raise
            return error
        return None

    async def persist(self, act: Callable[[], _T], what: str) -> _T:
        """Run a synchronous act in a thread until it succeeds; raise what waiting does not mend."""
        attempts, began = 0, time.monotonic()
        for pause in self._pauses():
            try:
                result = await asyncio.to_thread(act)
            except Exception as error:
                if classify(error) != "retry":
                    raise
                attempts += 1
                CLICKHOUSE_UP.set(0)
                RETRIES.labels(what).inc()
                _log.warning(
                    "clickhouse_away", what=what, attempts=attempts, pause_s=round(pause, 2), error=str(error)[:300]
                )
                await asyncio.sleep(pause)
                continue
            CLICKHOUSE_UP.set(1)
            INSERT_S.labels(what).observe(time.monotonic() - began)
            if attempts:
                _log.info("clickhouse_back", what=what, attempts=attempts)
            return result
        raise RuntimeError(f"the pauses of the sink ended after {attempts} attempts to write {what}: they must not end")
