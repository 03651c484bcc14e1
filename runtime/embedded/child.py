"""One server as a child process in its own process group, its output in a file; what it serves is its user's affair."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PAUSE_S = 0.02


class ChildFailedError(RuntimeError):
    """A child process did not come up; the text holds the end of its log and where the log is."""


class Child:
    """A child process that only this object signals, by the process id it was started with.

    Its own process group keeps a Ctrl-C of the terminal away from it: whoever started it says when it ends.
    """

    def __init__(self, name: str, command: Sequence[str], log_path: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._env = dict(env) if env is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; LookupError before the first start."""
        if self._process is None:
            raise LookupError(f"{self.name} was not started")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process exists, stopped by SIGSTOP included."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process. The log is appended to, so that a restart keeps what came before."""
        if self.alive:
            raise RuntimeError(f"{self.name} runs already (pid {self.pid})")
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
            )

    def wait_ready(self, serves: Callable[[], bool], deadline_s: float) -> float:
        """Poll `serves` (OSError: not yet) until it is true; return the seconds it took, or raise ChildFailedError."""
        begin = time.monotonic()
        while (waited := time.monotonic() - begin) < deadline_s:
            if not self.alive:
                raise ChildFailedError(self._report("ended before it was ready"))
            try:
                if serves():
                    return waited
            except OSError:
                pass
            time.sleep(PAUSE_S)
        raise ChildFailedError(self._report(f"was not ready within {deadline_s:g} s"))

    def stop(self, deadline_s: float = 10.0) -> None:
        """End it with SIGTERM, or SIGKILL when that has not helped after `deadline_s`; nothing when it does not run."""
        if self._process is None or not self.alive:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)  # a paused process would sleep through its end
        try:
            self._process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Stop it with SIGSTOP: it keeps its connections and answers nobody. Returns once all its threads stand still,
        for on a busy machine one of them may answer for a while after the signal."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # WNOWAIT leaves its end to `wait`

    def resume(self) -> None:
        """Wake it after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines it wrote."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def _report(self, what: str) -> str:
        return f"{self.name} {what}. Its log, {self.log_path}, ends with:\n{self.log_tail()}"
