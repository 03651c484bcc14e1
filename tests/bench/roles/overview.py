"""A portal in a process of the bench, asked in process for the first page of its overview."""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import structlog

from portal.app import create_app
from portal.store.store import ClickHouseStore
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import open_pool
from runtime.installation import Installation
from runtime.logging import configure
from runtime.portal_process import clickhouse_tokens, services
from runtime.settings import ClickHouse, Kafka, Log, Retention
from streams.garbage import collect_rarely
from tests.bench.events import PARTITIONS

QUESTIONS = 60
_DEADLINE_S = 60.0

log = structlog.get_logger()


async def run(arguments: dict[str, Any]) -> None:
    """Read all counts, then log how long each first page took, sorted by name and by usage in turn."""
    own = Kafka(bootstrap=arguments["bootstrap"], topic_prefix=arguments["prefix"], partitions=PARTITIONS)
    with open_pool(ClickHouse(data=Path(arguments["folder"]) / "overview")) as pool:
        migrate(pool, Retention())
        store = ClickHouseStore(pool, lambda: datetime.now(UTC))
        async with services(Installation(own, embedded=False), store, clickhouse_tokens(pool)) as ready:
            await ready.live.wait_until_ready(_DEADLINE_S)  # type: ignore[attr-defined]
            collect_rarely()  # as the portal does
            transport = httpx.ASGITransport(create_app(ready))
            async with httpx.AsyncClient(transport=transport, base_url="http://portal") as http:
                milliseconds = []
                for number in range(QUESTIONS):
                    began = time.perf_counter()
                    page = await http.get("/api/v1/tenants", params={"sort": ("tenant", "usage")[number % 2]})
                    milliseconds.append(1_000 * (time.perf_counter() - began))
                    page.raise_for_status()
            log.info("bench_pages", milliseconds=milliseconds[2:], tenants=len(ready.live.counts()))


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    asyncio.run(run(json.loads(sys.argv[1])))
