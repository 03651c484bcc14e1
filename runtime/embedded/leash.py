"""Owns the tie of a child process to the one that started it: on Linux it is killed the moment that one is gone.

A supervisor that was killed cannot stop its children; left over, they would hold its ports and its data directory.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """Return the command on a leash of this process; it must be started by the thread that lives longest."""
    return [sys.executable, "-m", "runtime.embedded.leash", str(os.getpid()), *command]


def main() -> None:
    """Tie this process to its parent, then become the command: `leash PARENT_PID COMMAND…`."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)  # it went before the leash was on
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
