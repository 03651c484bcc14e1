"""What logging owes a process: it never ends one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, structlog
from runtime.logging import configure
from runtime.settings import Log
configure(Log(format="json"))
for number in range(2_000):
    structlog.get_logger().warning("told", number=number)
    logging.getLogger("library").warning("told")
print("alive")
"""


def test_a_log_on_a_full_disk_loses_lines_and_ends_nothing() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("NO /dev/full ON THIS SYSTEM: a log on a full disk was not tried")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=False
        )
    assert (0, "alive\n") == (ended.returncode, ended.stdout)
