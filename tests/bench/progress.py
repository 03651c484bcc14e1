"""How fast a consumer group gets through its input, judged from outside by the offsets that it commits.

What is committed is processed, and its results acknowledged. The clock runs between two commits in mid-run, the first
that cover a fifth and nine tenths: what is done and not yet committed is about the same at both, and cancels. From the
first commit to the last it would not: events done before the clock starts would count as done in no time.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.embedded.child import Child, ChildFailedError
from tests.bench.stage import cpu_seconds

_POLL_S = 0.05
_SHARES = (0.2, 0.9)
_LEAST_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Rate:
    """`events` between two commits, in `seconds`, for which the process took `cpu_s` of processor time."""

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


class _Mark(NamedTuple):
    done: int
    at_s: float
    cpu_s: float


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
    total, done = sum(events.values()), 0
    end = time.monotonic() + deadline_s
    marks: list[_Mark] = []
    try:
        while done < total:
            done = await _done(admin, group, events, per_record)
            if len(marks) < len(_SHARES) and done >= _SHARES[len(marks)] * total:
                marks.append(_Mark(done, time.monotonic(), cpu_seconds(child.pid)))
            if not child.alive or time.monotonic() > end:
                what = f"got through {done:,} of {total:,} events within {deadline_s:g} s"
                raise ChildFailedError(f"{child.name} {what}. Its log ends with:\n{child.log_tail()}")
            await asyncio.sleep(_POLL_S)
    finally:
        await admin.close()
    first, last = (*marks, None, None)[:2]
    if first is None or last is None or last.done - first.done < _LEAST_SHARE * total:
        raise ChildFailedError(f"{child.name} committed {total:,} events in too few steps for a rate: take more events")
    return Rate(last.done - first.done, last.at_s - first.at_s, last.cpu_s - first.cpu_s)


async def _done(admin: AIOKafkaAdminClient, group: str, events: Mapping[TopicPartition, int], per_record: int) -> int:
    try:
        committed = await admin.list_consumer_group_offsets(group, partitions=list(events))
    except KafkaError:  # the group is not there yet
        return 0
    return sum(min(max(committed[tp].offset, 0) * per_record, events[tp]) for tp in events if tp in committed)
