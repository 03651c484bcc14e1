"""Owns the life of what reads a topic in the background: as long as its owner is open, and not silent when it fails."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

import structlog

log = structlog.get_logger()


class Reading:
    """Base of what reads in the background from `_begin` on until it is left as a context."""

    _reader: asyncio.Task[None] | None = None

    def _begin(self, reading: Coroutine[Any, Any, None], name: str) -> None:
        self._reader = asyncio.create_task(reading, name=name)
        self._reader.add_done_callback(_tell_failure)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)


def _tell_failure(task: "asyncio.Task[None]") -> None:
    """Log that a reader has ended by itself; without this its error would show only when the process stops."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("portal_reader_failed", task=task.get_name(), exc_info=error)
