"""A portal process of the bench: the product's own, held to one core if `cores` is 1."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import open_pool
from runtime.logging import configure
from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.portal_process import serve
from runtime.settings import ClickHouse, Kafka, Log, Portal, Retention, Settings
from tests.bench.events import PARTITIONS


def run(arguments: dict[str, Any]) -> None:
    """Serve on `port` until SIGTERM."""
    if arguments["cores"] == 1:
        # Before any thread is there: threads inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    settings = Settings(
        kafka=Kafka(bootstrap=arguments["bootstrap"], topic_prefix=arguments["prefix"], partitions=PARTITIONS),
        clickhouse=ClickHouse(data=Path(arguments["folder"]) / arguments["prefix"].rstrip(".")),
        portal=Portal(port=arguments["port"]),
    )
    with open_pool(settings.clickhouse) as pool:
        migrate(pool, Retention())
    asyncio.run(serve(settings, Shown(), Health()))


if __name__ == "__main__":
    configure(Log(level="warning", format="json"))
    run(json.loads(sys.argv[1]))
