"""Owns the embedded stack: broker, storage with portal, and workers as child processes of one supervisor, until it
is told to stop."""

import asyncio
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import structlog

from runtime.clickhouse import lock
from runtime.embedded.broker import TansuBroker
from runtime.embedded.child import Child
from runtime.embedded.drain import stored
from runtime.embedded.leash import leashed
from runtime.embedded.marks import COUNTING_MARK, REBUILT_MARK, run_folder
from runtime.embedded.own_settings import HOST, own_settings
from runtime.portal_process import listen

MIN_FREE_BYTES = 256 * 1024 * 1024
LOW_BYTES = 64 * 1024 * 1024
READY_S = 120.0
"""A rebuild of a million subjects has to fit."""
_WATCH_S = 0.3
_DRAIN_S = 10.0
_MOST_RESTARTS = 5
_RESTARTS_WITHIN_S = 60.0
_LONGEST_RESTART_S = 300.0

log = structlog.get_logger()


class StackError(Exception):
    """The stack cannot run; the text says why, and what to do."""


class Stack:
    """The embedded stack on one data directory. `say` is told, in sentences, how the start goes on."""

    def __init__(self, data: Path, port: int, *, demo: bool, say: Callable[[str], None]) -> None:
        """Nothing is started yet. Raises SettingsError."""
        self.data = data.resolve()
        self.url = f"http://{HOST}:{port}"
        self._port = port
        self._demo = demo
        self._say = say
        self._stop = threading.Event()
        self._deaths: list[float] = []
        self._disk_is_low = False
        self._run_folder = run_folder(self.data)
        broker_port = _free_port()
        settings = own_settings(f"{HOST}:{broker_port}", self.data, port)
        self._kafka = settings.kafka
        self._broker = TansuBroker(broker_port, self._log("broker"), leashed)
        self._worker = Child("the worker", self._python("worker"), self._log("worker"))
        self._core = self._new_core(fresh=True)
        self._collector = Child("the Graph collector", self._python("collector"), self._log("collector"))
        self._collects = settings.graph.client_id is not None
        self._collect_again_at, self._collect_after_s = 0.0, 1.0

    def _log(self, name: str) -> Path:
        return self.data / "logs" / f"{name}.log"

    def _python(self, module: str, *arguments: str) -> list[str]:
        own = [self._kafka.bootstrap, str(self.data), str(self._port)]
        return leashed([sys.executable, "-m", f"runtime.embedded.{module}", *own, *arguments])

    def _new_core(self, *, fresh: bool) -> Child:
        arguments = [*(["--demo"] if self._demo else []), *(["--fresh"] if fresh else [])]
        return Child("the portal with its storage", self._python("core", *arguments), self._log("core"))

    def run(self, started: Callable[[], None]) -> None:
        """Start everything, call `started`, and supervise until a signal. Raises StackError and what children raise."""
        self._make_ready()
        previous = {number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start()
            if not self._stop.is_set():
                started()
            while not self._stop.wait(_WATCH_S):
                self._restart_the_dead()
                self._watch_the_disk()
        finally:
            self._end()
            for number, handler in previous.items():
                signal.signal(number, handler)
            lock.let_go(self.data)

    def _told(self, _: int, __: FrameType | None) -> None:
        self._stop.set()

    def _make_ready(self) -> None:
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.data).free
            lock.hold(self.data)
        except OSError as error:
            raise StackError(
                f"the data directory {self.data} cannot be made or written: {error.strerror}. Choose another by --data"
            ) from error
        if free < MIN_FREE_BYTES:
            raise StackError(
                f"the disk of {self.data} has {free // 2**20} MiB left and needs {MIN_FREE_BYTES // 2**20}:"
                " free some space, or choose a data directory on another disk by --data"
            )
        listen(HOST, self._port).close()

    def _start(self) -> None:
        shutil.rmtree(self._run_folder, ignore_errors=True)
        self._run_folder.mkdir(parents=True)
        begin = time.monotonic()
        self._broker.start()
        self._broker.wait_ready()
        self._say(f"broker ready, {self._kafka.bootstrap}")
        self._core = self._new_core(fresh=True)
        self._core.start()
        self._worker.start()  # it loads its code meanwhile, and waits for the mark
        self._wait(self._core, (self._run_folder / REBUILT_MARK).exists)
        self._say(f"storage ready, {self.data / 'clickhouse'}")
        self._wait(self._worker, self._serves)
        self._say(f"counting, after {time.monotonic() - begin:.1f} s")
        if self._collects:
            self._collector.start()
            self._say("collecting from Microsoft Graph, as the settings say")

    def _wait(self, child: Child, ready: Callable[[], bool]) -> None:
        child.wait_ready(lambda: self._stop.is_set() or ready(), READY_S)

    def _serves(self) -> bool:
        if not (self._run_folder / COUNTING_MARK).exists():
            return False
        try:
            about: dict[str, Any] = httpx.get(f"{self.url}/readyz", timeout=2.0).json()
        except (httpx.HTTPError, ValueError):
            return False
        return bool(about.get("ready"))

    def _watch_the_disk(self) -> None:
        free = shutil.disk_usage(self.data).free
        if (free < LOW_BYTES) is self._disk_is_low:
            return
        self._disk_is_low = not self._disk_is_low
        if self._disk_is_low:
            self._say(
                f"the disk of {self.data} has {free // 2**20} MiB left: free some space. When it is full, nothing is"
                " stored or confirmed; what was sent waits in memory"
            )
        else:
            self._say(f"the disk of {self.data} has space again: what waited is stored")

    def _restart_the_dead(self) -> None:
        if not self._broker.alive:
            self._note_death("the embedded broker (Tansu)", self._log("broker"))
            # What they hold of it is void: nothing of that was confirmed before it was on disk.
            for child in self._children():
                child.kill()
            self._start()
            return
        self._restart_the_collector()
        for child in (self._core, self._worker):
            if not child.alive:
                self._note_death(child.name, child.log_path)
                if child is self._core:
                    self._core = self._new_core(fresh=False)
                    self._core.start()
                else:
                    child.start()

    def _restart_the_collector(self) -> None:
        """Start the collector again, ever later: whatever is wrong with Graph or its settings, counting goes on."""
        if not self._collects or self._collector.alive or time.monotonic() < self._collect_again_at:
            return
        self._say(f"{self._collector.name} has ended and is started again; its log is {self._collector.log_path}")
        self._collector.start()
        self._collect_after_s = min(2 * self._collect_after_s, _LONGEST_RESTART_S)
        self._collect_again_at = time.monotonic() + self._collect_after_s

    def _children(self) -> list[Child]:
        return [self._core, self._worker, *([self._collector] if self._collects else [])]

    def _note_death(self, name: str, log_path: Path) -> None:
        now = time.monotonic()
        self._deaths = [at for at in self._deaths if now - at < _RESTARTS_WITHIN_S] + [now]
        if len(self._deaths) > _MOST_RESTARTS:
            raise StackError(f"{name} keeps ending: its log is {log_path}. Mend the cause there, then start again")
        self._say(f"{name} has ended and is started again; its log is {log_path}")

    def _end(self) -> None:
        self._collector.stop()
        self._worker.stop()
        was_counting = (self._run_folder / COUNTING_MARK).exists()
        if was_counting and self._broker.alive and self._core.alive and not self._drain():
            self._say("the last changes could not be stored in time; what was confirmed to a caller is on disk")
        self._core.stop()
        self._broker.stop()

    def _drain(self) -> bool:
        try:
            return asyncio.run(stored(self._kafka, _DRAIN_S))
        except Exception as error:  # noqa: BLE001  # the end must come, whatever the broker says
            log.warning("drain_failed", error=type(error).__name__)
            return False


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])
