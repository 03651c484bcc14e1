"""Owns whether a process lives and is ready, as probes ask it: its event loop goes round, and it has what it needs."""

import asyncio
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Histogram

BEAT_S = 1.0
STANDS_STILL_S = 60.0
"""A slice, a search for garbage or a large answer holds a loop up for a second at most; what takes this long hangs."""

registry = CollectorRegistry()
LOOP_LATE = Histogram(
    "poolwatch_event_loop_late_seconds", "By how much the event loop came late, looked at once a second.",
    buckets=(0.01, 0.05, 0.25, 1, 5, 20), registry=registry,
)  # fmt: skip


class Health:
    """Asked from other threads than the loop's: a loop that stands still cannot answer for itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.is_ready: Callable[[], bool] = lambda: False
        """Set by whoever knows what the process waits for."""
        self._beat_at: float | None = None

    def ready(self) -> None:
        """Take note that the process has all that it waited for."""
        self.is_ready = lambda: True

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch a loop; until then the process is starting, and lives."""
        self._beat_at = self._clock()
        loop.call_later(BEAT_S, self._beat, loop)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        now = self._clock()
        assert self._beat_at is not None
        LOOP_LATE.observe(max(0.0, now - self._beat_at - BEAT_S))
        self._beat_at = now
        loop.call_later(BEAT_S, self._beat, loop)

    @property
    def stands_still_s(self) -> float:
        """For how long the loop has not gone round."""
        return 0.0 if self._beat_at is None else self._clock() - self._beat_at

    @property
    def is_alive(self) -> bool:
        """Whether the process is worth keeping; waiting for a broker or a database is no reason to end it."""
        return self.stands_still_s < STANDS_STILL_S
