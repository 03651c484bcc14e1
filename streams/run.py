"""Owns the running of Faust apps as a process: signals, exit code, logs. What it runs is made by `streams.meter` and
`streams.counter`."""

import asyncio
from collections.abc import Callable, Sequence

import faust

from streams.batch_transport import BatchApp


def run_apps(new_apps: Sequence[Callable[[], BatchApp]]) -> int:
    """Run Faust apps in this process until SIGTERM or SIGINT; return 0, or 1 where one of them has failed."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    apps = [new_app() for new_app in new_apps]  # only now: an app binds to the loop that is set when it is made
    worker = faust.Worker(*apps, loop=loop, loglevel="WARN", redirect_stdouts=False, quiet=True, logging_config=None)
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        return int(end.code or 0)
