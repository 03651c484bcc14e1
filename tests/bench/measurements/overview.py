"""The first page of the overview of ten thousand tenants, in the API."""

import asyncio
from collections.abc import Iterator

from schemas.identifiers import partition_of
from schemas.topics import full_name
from tests.bench.events import PARTITIONS, Record
from tests.bench.figures import Figure, percentile
from tests.bench.stage import Stage, wait_for, write
from tests.support.sinking import count, instant

TENANTS = 10_000


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield the 95th percentile of the first page."""
    prefix = stage.new_topics()
    asyncio.run(_publish(stage, prefix))
    with stage.child("overview", prefix=prefix) as child:
        found = wait_for(child, "bench_pages", 120)
    if found["tenants"] != TENANTS:
        raise RuntimeError(f"the portal knew {found['tenants']:,} of {TENANTS:,} tenants: its page would mean nothing")
    words = f"{len(found['milliseconds'])} first pages of 100, by name and by usage in turn"
    value = percentile(found["milliseconds"], 95)
    yield Figure(f"overview of {TENANTS:,} tenants, p95", value, "ms", "at most", 200, 50, note=words)


async def _publish(stage: Stage, prefix: str) -> None:
    records: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
    for number in range(TENANTS):
        told = count(f"tenant-{number:05d}", 1, instant(1), number * 7919 % 700)
        key = told.tenant.encode()
        records[partition_of(key, PARTITIONS)].append((key, told.model_dump_json().encode()))
    async with stage.producer() as producer:
        for partition, part in records.items():
            await write(producer, full_name(prefix, "license-counts"), partition, part)
