"""Owns the stream of counts: who listens, what each has seen, and how one that comes back resumes.

An id is the last offset seen of each partition of license-counts, so any portal process can resume what another began.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from portal.services import LiveCount
from schemas.count import Count

QUIET_S = 15.0
"""After so long without a change a subscription yields None."""

_Entry = tuple[Count, int, int]
"""A count with its partition and offset."""


class CountStream:
    """The newest count of each tenant and its subscribers; all in one event loop."""

    def __init__(self, partitions: int, generation: str) -> None:
        self._partitions, self._generation = partitions, generation
        self._newest: dict[str, _Entry] = {}
        self._ends = [-1] * partitions
        self._subscribers: set[CountSubscription] = set()

    def publish(self, count: Count, partition: int, offset: int) -> None:
        """Tell all subscribers of a newer count."""
        entry = (count, partition, offset)
        # Taken out first, so that the order of the dictionary is the order of the offsets of each partition.
        self._newest.pop(count.tenant, None)
        self._newest[count.tenant] = entry
        self._ends[partition] = offset
        for subscriber in self._subscribers:
            subscriber.offer(entry)

    def forget(self, tenant: str) -> None:
        """Drop the count of a tenant that was removed."""
        self._newest.pop(tenant, None)

    def close(self) -> None:
        """End all subscriptions."""
        for subscriber in self._subscribers:
            subscriber.end()

    @asynccontextmanager
    async def subscribe(self, tenant: str | None, last_id: str | None) -> AsyncIterator["CountSubscription"]:
        """Open a subscription, to one tenant or to all (None)."""
        seen = self._seen(last_id)
        subscriber = CountSubscription(tenant, seen, self._generation)
        for entry in self._newest.values():
            if entry[2] > seen[entry[1]]:
                subscriber.offer(entry)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    def _seen(self, last_id: str | None) -> list[int]:
        nothing = [-1] * self._partitions
        generation, _, offsets = (last_id or "").rpartition("~")
        try:
            seen = [int(part) for part in offsets.split(".")]
        except ValueError:
            return nothing
        if generation != self._generation or len(seen) != self._partitions:
            return nothing
        # An offset beyond all that is there: the topic is another one by now, so everything is news.
        return nothing if any(was > end for was, end in zip(seen, self._ends, strict=True)) else seen


class CountSubscription:
    """One listener: what it has not been given yet, at most one count a tenant, however slow it is."""

    def __init__(self, tenant: str | None, seen: list[int], generation: str) -> None:
        self._tenant, self._seen, self._generation = tenant, list(seen), generation
        self._waiting: dict[str, _Entry] = {}
        self._news = asyncio.Event()
        self._ended = False

    def offer(self, entry: _Entry) -> None:
        """Keep a count for the listener, in place of an older one of the tenant."""
        if self._tenant is None or entry[0].tenant == self._tenant:
            self._waiting.pop(entry[0].tenant, None)
            self._waiting[entry[0].tenant] = entry
            self._news.set()

    def end(self) -> None:
        """Let the listener finish."""
        self._ended = True
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[LiveCount | None]:
        while not self._ended:
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._news.wait()
            except TimeoutError:
                yield None
                continue
            self._news.clear()
            for item in self._taken():
                yield item

    def _taken(self) -> Iterator[LiveCount]:
        while self._waiting:
            # Oldest first: the id then covers nothing that is still waiting.
            count, partition, offset = self._waiting.pop(next(iter(self._waiting)))
            self._seen[partition] = offset
            yield LiveCount(count, f"{self._generation}~{'.'.join(map(str, self._seen))}")
