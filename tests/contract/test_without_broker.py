"""A process of a cluster whose broker is not there says so, and where it looked, and ends with 1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port


@pytest.mark.parametrize("role", ["meter", "counter", "sink", "portal"])
def test_a_broker_that_is_not_there_is_told_with_its_address(role: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    environment = os.environ | {
        "POOLWATCH_KAFKA_BOOTSTRAP": address,
        "POOLWATCH_CLICKHOUSE_DATA": str(tmp_path / "clickhouse"),
        "POOLWATCH_PORTAL_PORT": str(free_port()),
        "POOLWATCH_LOG_LEVEL": "error",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "runtime.cli.main", "run", role], env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (1, "") == (ended.returncode, ended.stdout), ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1] == (
        f"poolwatch: no Kafka broker answers at {address}: start one (`poolwatch up` brings its own), or set"
        " POOLWATCH_KAFKA_BOOTSTRAP"
    )
