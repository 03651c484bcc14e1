"""`poolwatch up` as a child process: what it prints, its children, the command line and the API against it."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.command_line import Ended, run_cli
from tests.support.ports import free_port
from tests.support.waiting import eventually

READY_S = 60.0
STOPPED_S = 30.0
_ROLES = {"broker": "tansu", "core": "runtime.embedded.core", "worker": "runtime.embedded.worker"}


class EmbeddedStack:
    """A `poolwatch up` on one data directory; after it has ended it can be started again."""

    def __init__(self, data: Path, *, demo: bool = False) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.out_path = data.parent / f"{data.name}.out"
        self._demo = ["--demo"] if demo else []
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, and do not wait."""
        command = [sys.executable, "-m", "runtime.cli.main", "up", "--data", str(self.data), "--port", str(self.port)]
        with self.out_path.open("wb") as out:
            self._process = subprocess.Popen(
                [*command, *self._demo], stdout=out, stderr=subprocess.STDOUT, start_new_session=True
            )

    def start(self) -> float:
        """Start it; return the seconds until it has said where it answers."""
        begin = time.monotonic()
        self.begin()

        def answers() -> bool:
            if self._popen.poll() is not None:
                pytest.fail(f"`poolwatch up` has ended with {self._popen.returncode}: {self.out}")
            return f"Poolwatch answers at {self.url}" in self.out

        eventually(answers, READY_S)
        return time.monotonic() - begin

    @property
    def _popen(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def pid(self) -> int:
        """The process id of the supervisor."""
        return self._popen.pid

    @property
    def out(self) -> str:
        """What it has printed since its start."""
        return self.out_path.read_text()

    @property
    def bootstrap(self) -> str:
        """The address of its broker."""
        return str(httpx.get(f"{self.url}/readyz", timeout=5).json()["kafka_bootstrap"])

    def is_ready(self) -> bool:
        """Tell whether the portal answers and says that it is ready."""
        try:
            return bool(httpx.get(f"{self.url}/readyz", timeout=5).json()["ready"])
        except httpx.HTTPError:
            return False

    def child(self, role: str) -> int | None:
        """Return the process id of a child of the supervisor; None while there is none."""
        return next((pid for pid in children_of(self.pid) if _ROLES[role] in command_of(pid)), None)

    def interrupt(self) -> int:
        """Stop it as Ctrl-C does; return its exit code."""
        self._popen.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        return self._popen.wait(STOPPED_S)

    def kill(self) -> None:
        """End the supervisor as a crash would."""
        self._popen.kill()
        self._popen.wait()

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOPPED_S)
            except subprocess.TimeoutExpired:
                self.kill()

    def cli(self, *arguments: str) -> Ended:
        """Run a command against it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("POOLWATCH_URL", self.url)
            return run_cli(*arguments)

    def done(self, *arguments: str) -> str:
        """Run a command against it that must succeed; return what it prints."""
        ended = self.cli(*arguments)
        assert ended.code == 0, f"{arguments}: {ended.out}{ended.err}"
        return ended.out

    def get(self, path: str, **params: Any) -> Any:
        """GET a JSON answer below /api/v1."""
        answer = httpx.get(f"{self.url}/api/v1{path}", params=params, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def patch(self, path: str, **body: Any) -> None:
        """PATCH something below /api/v1."""
        answer = httpx.patch(f"{self.url}/api/v1{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text

    def count(self, tenant: str) -> dict[str, Any]:
        """Return the count of a tenant."""
        count: dict[str, Any] = self.get(f"/tenants/{tenant}/licenses")
        return count

    def changes(self, tenant: str) -> list[dict[str, Any]]:
        """Return the changes of a tenant that are on record."""
        items: list[dict[str, Any]] = self.get(f"/tenants/{tenant}/changes", limit=1_000)["items"]
        return items

    def post_events(self, *events: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
        """POST events."""
        return httpx.post(f"{self.url}/api/v1/events", json=list(events), headers=headers, timeout=60)


@contextmanager
def running_stack(data: Path, *, demo: bool = False) -> Iterator[EmbeddedStack]:
    """Run a stack on a data directory until left."""
    stack = EmbeddedStack(data, demo=demo)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Yield a new folder that is a disk of its own, `size=…` or `ro`; skips loudly where none can be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip(f"NO DISK OF {options.upper()} COULD BE MOUNTED (this takes root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def children_of(parent: int) -> list[int]:
    """Return the process ids of the living children of a process."""
    return [pid for pid in _processes() if _stat(pid)[1:2] == [str(parent)] and is_alive(pid)]


def is_alive(pid: int) -> bool:
    """Tell whether a process exists; one that nobody has waited for does not."""
    return _stat(pid)[:1] not in ([], ["Z"])


def command_of(pid: int) -> str:
    """Return the command line of a process, empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on; nothing of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
