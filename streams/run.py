"""Owns the running of Faust apps as a process: signals, exit code, logs. What it runs is made by `streams.meter` and
`streams.counter`."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import faust

from streams.batch_transport import BatchApp
from streams.garbage import collect_rarely


class _Worker(faust.Worker):
    """Faust's worker, without its spinner (escape codes in a log) and its hand on the logging of the process."""

    def __init__(self, *apps: BatchApp, loop: asyncio.AbstractEventLoop) -> None:
        quiet: dict[str, Any] = {"override_logging": False, "redirect_stdouts": False, "quiet": True}
        super().__init__(*apps, loop=loop, **quiet)
        self.spinner = None
        self._apps = apps

    async def on_start(self) -> None:
        """Start the apps side by side: each waits seconds for its group, and Faust would start one after the other."""
        await super().on_start()
        await asyncio.gather(*(app.maybe_start() for app in self._apps))

    @property
    def was_told(self) -> bool:
        """Whether a signal has told it to stop."""
        return self._signal_stop_time is not None

    async def _sentinel_task(self) -> None:
        """Do not wait: Faust gives connections a second to close, and ours are closed by then."""


def run_apps(
    new_apps: Sequence[Callable[[], BatchApp]], watch: Callable[[asyncio.AbstractEventLoop], None] | None = None
) -> int:
    """Run Faust apps in this process until SIGTERM or SIGINT; return 0, or 1 where one of them has failed. `watch` is
    given the event loop before it runs."""
    logging.getLogger("mode.timers").setLevel(logging.ERROR)  # a commit slower than its interval is no news
    collect_rarely()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    if watch is not None:
        watch(loop)
    apps = [new_app() for new_app in new_apps]  # only now: an app binds to the loop that is set when it is made
    worker = _Worker(*apps, loop=loop)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return int(end.code or 0)
    except asyncio.CancelledError:
        # What Faust makes of a failure in the middle of a fetch, and of a stop that came there, which is no failure.
        reasons = [app.crash_reason for app in apps]
        failed = any(reason is not None and not isinstance(reason, asyncio.CancelledError) for reason in reasons)
        return int(failed or not worker.was_told)
