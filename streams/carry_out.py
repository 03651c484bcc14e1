"""Owns the carrying out of protocol effects on Kafka, for a partition of one owned topic."""

import asyncio
import time
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.topics import TopicName
from streams.clock import now_ms
from streams.fault import OF_THIS_PROCESS
from streams.kafka import KafkaOptions, end_offset, read_range, write
from streams.metrics import work
from streams.protocol.effects import Append, Done, Effect, Pause, Publish, ReadBack, Steps
from streams.protocol.owned_log import OwnedLog
from streams.trace import PartitionTrace

LOOK_INTERVAL_S = 600.0
"""Well below `min.compaction.lag.ms`: what a stranger wrote must be noticed before it is all that compaction keeps."""


class Executor:
    """Carries out the effects of one partition in their order. `owned` is the topic that `Append` and `ReadBack`
    mean."""

    def __init__(
        self,
        role: str,
        producer: AIOKafkaProducer,
        options: KafkaOptions,
        owned: TopicName,
        partition: int,
        committable: Any,
    ) -> None:
        """`committable(topic, offset)` is told what may be committed."""
        self._role = role
        self.trace = PartitionTrace(role, partition)
        self._producer = producer
        self._options = options
        self._owned = options.topic(owned)
        self._partition = partition
        self._committable = committable
        self._fault = OF_THIS_PROCESS
        self._next_look = time.monotonic() + LOOK_INTERVAL_S

    async def look_after(self, log: OwnedLog) -> float:
        """Look now and then whether strangers have written to the owned log; return in how many seconds again."""
        wait_s = self._next_look - time.monotonic()
        if wait_s <= 0:
            end = await end_offset(self._options, self._owned, self._partition)
            await self.run(log.look_after(end))
            wait_s = LOOK_INTERVAL_S
            self._next_look = time.monotonic() + wait_s
        return wait_s

    async def run(self, steps: Steps) -> None:
        """Carry out all effects, giving way to other partitions at each pause."""
        ended = False
        while not ended:
            ended = await self.advance(steps)
            await asyncio.sleep(0)

    async def advance(self, steps: Steps) -> bool:
        """Carry out effects up to the next pause; return whether the steps have ended."""
        began = time.monotonic()
        try:
            return await self._advance(steps)
        finally:
            work.SLICE_S.labels(self._role).observe(time.monotonic() - began)

    async def _advance(self, steps: Steps) -> bool:
        result: Any = None
        while True:
            try:
                effect: Effect = steps.send(result)
            except StopIteration:
                return True
            if isinstance(effect, Pause):
                return False
            self._fault.reach(effect.step, "before")
            began = time.monotonic()
            result = await self._effect(effect)
            self._note(effect, time.monotonic() - began)
            self._fault.reach(effect.step, "after")

    def _note(self, effect: Append | Publish | ReadBack | Done, seconds: float) -> None:
        work.STEP_S.labels(self._role, effect.step).observe(seconds)
        if isinstance(effect, Append | Publish):
            work.WRITTEN.labels(self._role, effect.step).inc(len(effect.items))
            if isinstance(effect, Publish) and effect.topic == "dead-letters":
                for item in effect.items:
                    work.DEAD_LETTERS.labels(self._role, dict(item.headers)["reason"].decode()).inc()

    async def _effect(self, effect: Append | Publish | ReadBack | Done) -> Any:
        match effect:
            case Append(items=items):
                with self.trace.step(effect):
                    return await write(self._producer, self._owned, self._partition, items, now_ms())
            case Publish(topic=topic, partition=partition, items=items):
                with self.trace.step(effect):
                    carried = self.trace.carried(items, effect.step)
                    return await write(self._producer, self._options.topic(topic), partition, carried, now_ms())
            case ReadBack(start=start, end=end):
                return await read_range(self._options, self._owned, self._partition, start, end)
            case Done(offsets=offsets):
                for name, offset in offsets.items():
                    self._committable(name, offset)
                return None
