"""Meters, counters and alerts as child processes: started, stopped, killed, frozen, and read by what they log."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from streams.fault import VARIABLE
from streams.kafka import KafkaOptions
from tests.support.waiting import eventually_async

READY_S = 40.0
BOTH = ("meter", "counter")


class Worker:
    """A process that runs meter, counter, alerts or several. `fault`: where it dies or freezes (streams.fault);
    `loses`: every n-th batch that it fetches vanishes before it is processed; `newer`: it is of a later version,
    which has other rules and another format of its logs; `settings`: of the process."""

    def __init__(
        self,
        options: KafkaOptions,
        folder: Path,
        name: str,
        roles: tuple[str, ...] = BOTH,
        fault: str = "",
        loses: int = 0,
        settings: dict[str, Any] | None = None,
        *,
        newer: bool = False,
    ) -> None:
        self.name = name
        self.roles = roles
        arguments = json.dumps({"options": dataclasses.asdict(options), "roles": roles, "loses": loses,
                                "newer": newer, "settings": settings or {}})  # fmt: skip
        self._command = [sys.executable, "-m", "tests.support.worker_main", arguments]
        self._environment = os.environ | {VARIABLE: fault}
        self._log = folder / f"{name}-{uuid.uuid4().hex[:4]}.log"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("wb") as log:
            return subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment
            )

    @property
    def alive(self) -> bool:
        """Whether the process exists, a frozen one included."""
        return self._process.poll() is None

    def text(self) -> str:
        """Return all that it has written."""
        return self._log.read_text(errors="replace")

    def logs(self, event: str = "") -> list[dict[str, Any]]:
        """Return its log lines: all, or those of an event."""
        lines = [json.loads(line) for line in self.text().splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if not event or line["event"] == event]

    async def ready(self, deadline_s: float = READY_S) -> None:
        """Wait until each of its roles has told that all its partitions are ready."""

        async def told() -> bool:
            assert self.alive, f"ended before it was ready:\n{self.text()}"
            return set(self.roles) <= {line["role"] for line in self.logs("worker_ready")}

        await eventually_async(told, deadline_s)

    async def logged(self, event: str, deadline_s: float = READY_S) -> None:
        """Wait until it has logged an event."""

        async def told() -> bool:
            assert self.alive, f"ended before it logged {event}:\n{self.text()}"
            return bool(self.logs(event))

        await eventually_async(told, deadline_s)

    async def ended(self, deadline_s: float = 30.0) -> int:
        """Wait until it has ended; return its exit code, a signal as a negative number."""

        async def gone() -> bool:
            assert not self.alive, f"still runs:\n{self.text()[-2_000:]}"
            return True

        await eventually_async(gone, deadline_s)
        return self._process.returncode

    async def frozen(self, deadline_s: float = 30.0) -> None:
        """Wait until it has stopped itself at its fault point."""

        async def is_stopped() -> bool:
            return self._state() == "T"

        await eventually_async(is_stopped, deadline_s)

    def _state(self) -> str:
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def terminate(self) -> None:
        """Tell it to end, as a supervisor does."""
        self._process.send_signal(signal.SIGTERM)

    async def stop(self) -> int:
        """Tell it to end, and wait; return its exit code."""
        self.terminate()
        return await self.ended()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Stop it: it keeps its connections and answers nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let a frozen one go on."""
        self._process.send_signal(signal.SIGCONT)
