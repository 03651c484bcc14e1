"""A sink on the engine in process, in a process of the bench."""

import json
import sys
from pathlib import Path
from typing import Any

from runtime.logging import configure
from runtime.metrics.health import Health
from runtime.settings import Log, load
from runtime.sink_process import run_sink
from tests.bench.events import PARTITIONS


def run(arguments: dict[str, Any]) -> None:
    """Run until SIGTERM."""
    own = {"bootstrap": arguments["bootstrap"], "topic_prefix": arguments["prefix"], "partitions": PARTITIONS}
    run_sink(load(kafka=own, clickhouse={"data": Path(arguments["folder"]) / arguments["prefix"]}), Health())


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    run(json.loads(sys.argv[1]))
