"""The outside of the latency measurement: single events at a steady pace in, counts out, and how long each took.

Every event brings one new counted subject, so the k-th of a tenant is through when its count has reached k.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict, deque
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from runtime.logging import configure
from runtime.settings import Log
from schemas.identifiers import partition_of
from schemas.times import format_ms
from schemas.topics import TopicName, full_name
from tests.bench.events import PARTITIONS, TENANTS

PER_SECOND = 500
WARM_UP_S = 3.0
_END_S = 20.0
_FACTS: tuple[tuple[TopicName, str, str], ...] = (
    ("assignments", "phone_number", '{"number_type":"directRouting"}'),
    ("user-changes", "interface", '{"change":"by hand"}'),
)

log = structlog.get_logger()


class Pace:
    """What was sent and not yet seen counted, by tenant."""

    def __init__(self) -> None:
        self.waiting: dict[str, deque[float]] = defaultdict(deque)
        self.counted: dict[str, int] = defaultdict(int)
        self.latencies_ms: list[float] = []
        self.begin = time.monotonic()

    def sent(self, tenant: str) -> None:
        self.waiting[tenant].append(time.monotonic())

    def seen(self, tenant: str, licensed: int) -> None:
        now, waiting = time.monotonic(), self.waiting[tenant]
        while self.counted[tenant] < licensed:
            self.counted[tenant] += 1
            sent = waiting.popleft()
            if sent > self.begin + WARM_UP_S:
                self.latencies_ms.append(1_000 * (now - sent))

    @property
    def unseen(self) -> int:
        return sum(map(len, self.waiting.values()))


async def run(arguments: dict[str, Any]) -> None:
    """Send for the given seconds, wait for the last count, log all latencies."""
    prefix, pace = arguments["prefix"], Pace()
    reader = AIOKafkaConsumer(bootstrap_servers=arguments["bootstrap"], auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=arguments["bootstrap"], acks="all", compression_type="lz4")
    await reader.start()
    await producer.start()
    reader.assign([TopicPartition(full_name(prefix, "license-counts"), number) for number in range(PARTITIONS)])
    reading = asyncio.create_task(_read(reader, pace))
    try:
        await _send(producer, prefix, pace, arguments["seconds"])
        end = time.monotonic() + _END_S
        while pace.unseen and time.monotonic() < end and not reading.done():  # noqa: ASYNC110 -- has its deadline
            await asyncio.sleep(0.05)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await reader.stop()
        await producer.stop()
    log.info("bench_latencies", milliseconds=pace.latencies_ms, unseen=pace.unseen)


async def _send(producer: AIOKafkaProducer, prefix: str, pace: Pace, seconds: float) -> None:
    begin, sent = time.monotonic(), []
    for number in range(int(seconds * PER_SECOND)):
        due = begin + number / PER_SECOND
        await asyncio.sleep(max(due - time.monotonic(), 0))
        topic, facet, facts = _FACTS[number % 2]
        tenant, subject = f"tenant-{number % TENANTS:03d}", f"user:{number}"
        now = format_ms(time.time_ns() // 1_000_000)
        event = f'{{"type":"{facet}","tenant":"{tenant}","subject":"{subject}","observed_at":"{now}","facts":{facts}}}'
        key = f"{tenant}/{subject}".encode()
        pace.sent(tenant)
        sent.append(
            await producer.send(
                full_name(prefix, topic), event.encode(), key=key, partition=partition_of(key, PARTITIONS)
            )
        )
    await asyncio.gather(*sent)


async def _read(reader: AIOKafkaConsumer, pace: Pace) -> None:
    async for record in reader:
        if record.value and not record.key.startswith(b"_"):
            count = json.loads(record.value)
            pace.seen(count["tenant"], count["currently_licensed"])


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    asyncio.run(run(json.loads(sys.argv[1])))
