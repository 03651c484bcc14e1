"""What logging owes a process and people: it never ends one, and tells of errors without what variables hold."""

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

FAILING = """
import logging, sys, structlog
from runtime.logging import configure
from runtime.settings import Log
configure(Log(format=sys.argv[1]))
def fails(upn, record):
    raise ValueError("no such row")
for log in (structlog.get_logger(), logging.getLogger("library")):
    try:
        fails("@".join(("alice", "acme.example")), {"given": " ".join(("Alice", "Smith"))})
    except ValueError:
        log.error("failed", exc_info=True)
"""


@pytest.mark.parametrize("mode", ["json", "console"])
def test_a_traceback_tells_where_it_failed_and_nothing_of_what_variables_held(mode: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FAILING, mode], capture_output=True, text=True, timeout=60, check=True
    )
    told = ended.stderr
    assert told.count("no such row") >= 2
    assert told.count("fails") >= 2
    assert "alice@acme.example" not in told
    assert "Alice Smith" not in told


def test_a_log_on_a_full_disk_loses_lines_and_ends_nothing() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("NO /dev/full ON THIS SYSTEM: a log on a full disk was not tried")
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=False
        )
    assert (0, "alive\n") == (ended.returncode, ended.stdout)
