"""A full sync of many users from Microsoft Graph: how fast, whose time it takes, and how much memory."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka import TopicPartition

from runtime import kafka
from runtime.embedded.child import Child, ChildFailedError
from schemas.settings import Graph, TenantSettings
from schemas.sources import Part, SourceState
from schemas.topics import full_name
from tests.bench.events import PARTITIONS
from tests.bench.figures import Figure
from tests.bench.stage import Stage, cpu_seconds, memory_bytes, wait_for

TENANTS = 10
DEADLINE_S = 300.0
_MIB = 2**20
_PARTS: tuple[Part, ...] = ("users", "accounts", "numbers")
"""What a full sync reads of each tenant, in this order."""


@dataclass(frozen=True, slots=True)
class _Sync:
    """A full sync of so many users. `extra_bytes`: the most memory beyond what the collector had without tenants."""

    users: int
    seconds: float
    cpu_s: float
    idle_bytes: int
    extra_bytes: int


def measure(stage: Stage) -> Iterator[Figure]:
    """Yield users a second, the share of the time that is the collector's own, and memory, also at twice the users."""
    users = 1_000 if stage.quick else 10_000
    once, twice = _sync(stage, users), _sync(stage, 2 * users)
    words = (
        f"{once.users:,} users in {TENANTS} tenants (users, accounts, numbers), from the settings to the last sync that"
        " is confirmed; Graph is a fake in a process of its own, and the portal one that knows of no earlier sync"
    )
    yield Figure("Graph, full sync", once.users / once.seconds, "users/s", note=words)
    share = 100 * once.cpu_s / once.seconds
    own = f"processor time of the collector, {1e6 * once.cpu_s / once.users:.0f} µs a user; the rest is waiting"
    yield Figure("Graph, full sync, time that is ours", share, "%", "at most", note=own)
    peak = f"peak of the same sync over an idle collector, which has {once.idle_bytes / _MIB:.0f} MiB"
    yield Figure("Graph, full sync, memory", once.extra_bytes / _MIB, "MiB", "at most", note=peak)
    flat = f"{twice.extra_bytes / _MIB:.0f} MiB over idle for {twice.users:,} users in as many tenants"
    grown = twice.extra_bytes / once.extra_bytes
    yield Figure("Graph, full sync, memory at twice the users", grown, "x", "at most", note=flat)


def _sync(stage: Stage, users: int) -> _Sync:
    prefix = stage.new_topics()
    with stage.child("graph_service", tenants=TENANTS, users=users) as service:
        serves = wait_for(service, "bench_serves", DEADLINE_S)
        settings = [
            TenantSettings(tenant=f"tenant-{number}", ms_tenant_id=ms_tenant_id, graph=Graph())
            for number, ms_tenant_id in enumerate(serves["tenants"])
        ]
        where = {"graph": serves["graph"], "portal": serves["portal"]}
        with stage.child("graph_collector", prefix=prefix, **where) as collector:
            wait_for(collector, "graph_collector_assigned", DEADLINE_S)
            idle_bytes, cpu_s, begin = memory_bytes(collector)[0], cpu_seconds(collector.pid), time.monotonic()
            stage.publish(prefix, {}, settings)
            read = asyncio.run(_read_of(stage, prefix, collector))
            seconds, cpu_s = time.monotonic() - begin, cpu_seconds(collector.pid) - cpu_s
            _, peak_bytes = memory_bytes(collector)
    total = TENANTS * users
    if read["users"] != total or read["accounts"] != total:
        raise RuntimeError(f"the collector read {read} of {total:,} users: its rate would mean nothing")
    return _Sync(total, seconds, cpu_s, idle_bytes, peak_bytes - idle_bytes)


async def _read_of(stage: Stage, prefix: str, collector: Child) -> dict[Part, int]:
    """Wait until each tenant's lists have gone through whole, and return how many entries each list had in all."""
    through: dict[tuple[str, Part], int] = {}
    consumer = kafka.reader(stage.kafka(prefix))
    await consumer.start()
    try:
        topic = full_name(prefix, "sources")
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        end = time.monotonic() + DEADLINE_S
        while len(through) < TENANTS * len(_PARTS):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for state in (SourceState.model_validate_json(record.value) for record in records):
                    if state.state in ("failing", "held"):
                        raise ChildFailedError(f"{state.part} of {state.tenant} is {state.state}: {state.reason}")
                    if state.part in _PARTS and state.state == "ok" and state.full_at is not None:
                        through[state.tenant, state.part] = state.read
            if not collector.alive or time.monotonic() > end:
                tail = f"Its log ends with:\n{collector.log_tail()}"
                raise ChildFailedError(f"{collector.name} brought {len(through)} lists through. {tail}")
    finally:
        await consumer.stop()
    return {part: sum(read for (_, of), read in through.items() if of == part) for part in _PARTS}
