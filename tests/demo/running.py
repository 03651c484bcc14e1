"""Owns the product's stack as a demo runs it, and the waiting for what it shows."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from runtime.embedded.child import Child
from runtime.embedded.leash import leashed
from tests.support.ports import HOST, free_port

_READY_S = 90.0
_STOPPED_S = 30.0
_PAUSE_S = 0.1


class DemoError(Exception):
    """Something was not seen in time, or ended; the text is a sentence."""


@contextmanager
def running(
    data: Path, port: int | None, logs: Path, say: Callable[[str], None], settings: Mapping[str, str] = {}
) -> Iterator[tuple[Child, httpx.Client]]:
    """Run `poolwatch up` with these settings alone; yield it and a client of its portal. Raises ChildFailedError."""
    port = port or free_port()
    command = [sys.executable, "-m", "runtime.cli.main", "up", "--data", str(data), "--port", str(port)]
    # Settings of this shell may name another Graph, or other channels.
    env = {name: value for name, value in os.environ.items() if not name.startswith("POOLWATCH_")}
    up = Child("poolwatch up", leashed(command), logs / "up.log", env | dict(settings))
    try:
        up.start()
        with httpx.Client(base_url=f"http://{HOST}:{port}", timeout=30.0, trust_env=False) as http:
            address = str(http.base_url).rstrip("/")
            up.wait_ready(lambda: f"Poolwatch answers at {address}" in up.log_tail(), _READY_S)
            say(f"`poolwatch up` answers at {address}")
            yield up, http
    finally:
        up.stop(_STOPPED_S)


def wait(what: str, check: Callable[[], bool], deadline_s: float, children: Sequence[Child]) -> float:
    """Wait until `check` is true, and return the seconds that took. Raises DemoError, also where a child has ended."""
    begin = time.monotonic()
    while not check():
        look_after(children)
        if time.monotonic() - begin > deadline_s:
            raise DemoError(f"within {deadline_s:g} s it was not seen that {what}")
        time.sleep(_PAUSE_S)
    return time.monotonic() - begin


def look_after(children: Sequence[Child]) -> None:
    """Raise DemoError if something that was started has ended."""
    for child in children:
        if not child.alive:
            raise DemoError(f"{child.name} has ended; its log ends with:\n{child.log_tail()}")
