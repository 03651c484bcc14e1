"""How fast a consumer group gets through its input, judged from outside by the offsets that it commits.

What is committed is processed, and its results acknowledged. The clock starts at the first commit that is seen, with
what it covers left out, and stops at the commit that covers all: start-up counts for nobody, the last flush for all.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.embedded.child import Child, ChildFailedError
from tests.bench.stage import cpu_seconds

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` between first and last commit, in `seconds`, for which the process took `cpu_s` of processor time."""

    events: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of processor time an event: what a busy machine disturbs least."""
        return 1e6 * self.cpu_s / self.events


def measure_rate(
    child: Child, bootstrap: str, group: str, events: Mapping[TopicPartition, int], per_record: int, deadline_s: float
) -> Rate:
    """Wait until the group has committed all `events` (by partition). Raises ChildFailedError."""
    return asyncio.run(_measure_rate(child, bootstrap, group, events, per_record, deadline_s))


async def _measure_rate(
    child: Child, bootstrap: str, group: str, events: Mapping[TopicPartition, int], per_record: int, deadline_s: float
) -> Rate:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    total, first, done = sum(events.values()), None, 0
    cpu_s = 0.0
    end = time.monotonic() + deadline_s
    try:
        while done < total:
            before, now = done, time.monotonic()
            done = await _done(admin, group, events, per_record)
            if first is None and done > before:
                first, cpu_s = (time.monotonic(), done), cpu_seconds(child.pid)
            if not child.alive or now > end:
                what = f"got through {done:,} of {total:,} events within {deadline_s:g} s"
                raise ChildFailedError(f"{child.name} {what}. Its log ends with:\n{child.log_tail()}")
            await asyncio.sleep(_POLL_S)
        seconds = time.monotonic() - (first[0] if first else 0.0)
        cpu_s = cpu_seconds(child.pid) - cpu_s
    finally:
        await admin.close()
    if first is None or first[1] > total / 2:
        raise ChildFailedError(f"{child.name} was through with most of {total:,} events at its first commit: too few")
    return Rate(total - first[1], seconds, cpu_s)


async def _done(admin: AIOKafkaAdminClient, group: str, events: Mapping[TopicPartition, int], per_record: int) -> int:
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(events))
    except KafkaError:  # the group is not there yet
        return 0
    return sum(min(max(committed[tp].offset, 0) * per_record, events[tp]) for tp in events if tp in committed)
