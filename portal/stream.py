"""Owns the stream of counts and alerts: who listens, what each has seen, how one that comes back resumes, and the
events as text.

Both stand in one log, in the order in which they were read, and a listener is a place in it. Listeners who are
equally far get the same block, made and encoded once; a slow one costs its place and the block that it has in hand.

An id is the last offset of each partition of license-counts, then of alerts, at a place, so any portal process can
resume what another began. It names the tenants it is of, if not all: to listeners to others it says nothing.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from weakref import WeakValueDictionary

from portal.refresh_log import RefreshLog, RefreshNews
from portal.refreshes import Progress
from portal.services import Audience
from schemas.alert import Alert
from schemas.count import Count

QUIET_S = 15.0
"""After so long without a change a subscription yields None."""
PACE_S = 0.1
"""Listeners are woken this often at most: a count after a pause goes out at once, and what follows it together."""
BLOCK = 64
"""Counts and alerts at a time for one listener: what a slow one holds, beside the buffer of its connection."""
_SHARED_BLOCKS = 16
_SPARE = 1_000

Offsets = tuple[int, ...]
"""Of each partition of license-counts, then of each of alerts; -1 for none."""

_COUNT = ""
"""Stands for the count where an alert has its rule: of each a tenant has one that is the newest."""


@dataclass(frozen=True, eq=False)
class _Entry:
    """A count, or a change of an alert, at its place in the log. `ends`: the offsets up to this place."""

    place: int
    told: Count | Alert
    number: int
    """Of the partition, as in `Offsets`."""
    offset: int
    ends: Offsets

    @property
    def subject(self) -> str:
        return self.told.rule if isinstance(self.told, Alert) else _COUNT

    @cached_property
    def text(self) -> bytes:
        event = b"alert" if isinstance(self.told, Alert) else b"count"
        return b"event: " + event + b"\ndata: " + self.told.model_dump_json().encode() + b"\n"


_place_of = attrgetter("place")


class News:
    """Newest counts and alerts, each of another tenant or rule, oldest first, and the id that resumes after them."""

    def __init__(self, entries: Sequence[_Entry], life: str) -> None:
        self._entries, self._life = entries, life
        self.id = f"{life}~{'.'.join(map(str, entries[-1].ends))}"

    @property
    def counts(self) -> list[Count]:
        return [entry.told for entry in self._entries if isinstance(entry.told, Count)]

    @property
    def alerts(self) -> list[Alert]:
        return [entry.told for entry in self._entries if isinstance(entry.told, Alert)]

    @cached_property
    def text(self) -> bytes:
        """The server-sent events. Only the last has the id, which covers all: after a part of them a client resumes
        from the id before."""
        return b"\n".join(entry.text for entry in self._entries) + b"id: " + self.id.encode() + b"\n\n"

    def beyond(self, seen: Offsets) -> "News | None":
        """Return what lies beyond the offsets."""
        entries = [entry for entry in self._entries if entry.offset > seen[entry.number]]
        return News(entries, self._life) if entries else None


class CountStream:
    """The newest count of each tenant, the newest change of each of its alerts, and their subscribers; all in one event
    loop."""

    def __init__(self, partitions: int, generation: str) -> None:
        self._generation, self._partitions = generation, partitions
        self._ends = [-1] * partitions * 2
        self._newest: dict[str, dict[str, _Entry]] = {}
        self._known = 0
        self._log: list[_Entry] = []
        self.end = 0
        """The place of what is newest."""
        self.told = 0
        """The place up to which listeners are told; the same for all, so that they stay together."""
        self.refreshes = RefreshLog()
        self._changed: set[str] = set()
        self._bells: WeakValueDictionary[Audience, asyncio.Event] = WeakValueDictionary()
        self._ringing: asyncio.TimerHandle | None = None
        self._rung_at = 0.0
        self.closed = False
        self.block_after = lru_cache(_SHARED_BLOCKS)(self._block_after)

    def publish(self, count: Count, partition: int, offset: int) -> None:
        """Tell all subscribers of a newer count, soon."""
        self._put(count, partition, offset)

    def publish_alert(self, alert: Alert, partition: int, offset: int) -> None:
        """Tell all subscribers of a change of an alert, soon. An offset of -1: it was not read from the topic."""
        self._put(alert, self._partitions + partition, offset)

    def _put(self, told: Count | Alert, number: int, offset: int) -> None:
        self._ends[number] = max(self._ends[number], offset)
        self.end += 1
        entry = _Entry(self.end, told, number, offset, tuple(self._ends))
        of_tenant = self._newest.setdefault(told.tenant, {})
        self._known += entry.subject not in of_tenant
        of_tenant[entry.subject] = entry
        self._log.append(entry)
        if len(self._log) > self._known * 5 // 4 + _SPARE:
            self._log = [each for each in self._log if self._is_newest(each)]
        self._ring_soon(told.tenant)

    def tell(self, progress: Progress) -> None:
        """Tell all subscribers how far a refresh is, soon."""
        self.refreshes.keep(progress)
        self._ring_soon(progress.tenant)

    def forget(self, tenant: str, subjects: Sequence[str] = (_COUNT,)) -> None:
        """Drop the count of a tenant that was removed, or its alerts of these rules."""
        of_tenant = self._newest.get(tenant, {})
        for subject in subjects:
            self._known -= of_tenant.pop(subject, None) is not None

    def close(self) -> None:
        """End all subscriptions."""
        self.closed = True
        if self._ringing is not None:
            self._ringing.cancel()
        for bell in self._bells.values():
            bell.set()

    @asynccontextmanager
    async def subscribe(self, audience: Audience, last_id: str | None) -> AsyncIterator["CountSubscription"]:
        """Open a subscription, to some tenants or to all (None)."""
        yield CountSubscription(self, audience, self._seen(audience, last_id))

    def newest_id(self, audience: Audience) -> str:
        """Return the id that resumes after all that is known now."""
        return f"{self._life_of(audience)}~{'.'.join(map(str, self._ends))}"

    def bell_of(self, audience: Audience) -> asyncio.Event:
        """Return what rings when there is news for an audience."""
        return self._bells.setdefault(audience, asyncio.Event())

    def place_of(self, seen: Offsets) -> int:
        """Return the last place whose offsets are all among those seen."""
        first = bisect_left(self._log, True, key=lambda entry: _exceeds(entry.ends, seen))
        return self._log[first - 1].place if first else 0

    def _ring_soon(self, tenant: str) -> None:
        self._changed.add(tenant)
        if self._ringing is None:
            self._ringing = asyncio.get_running_loop().call_at(self._rung_at + PACE_S, self._ring)

    def _ring(self) -> None:
        self._ringing, self._rung_at = None, asyncio.get_running_loop().time()
        changed, self._changed, self.told = self._changed, set(), self.end
        for audience, bell in list(self._bells.items()):
            if audience is None or not audience.isdisjoint(changed):
                bell.set()
                bell.clear()

    def _block_after(self, audience: Audience, place: int, told: int) -> tuple[News | None, int]:
        """Return the first of what an audience is told after a place, and the place after that."""
        entries = list(islice(self._entries(audience, place, told), BLOCK))
        news = News(entries, self._life_of(audience)) if entries else None
        return news, entries[-1].place if len(entries) == BLOCK else told

    def _entries(self, audience: Audience, place: int, told: int) -> Iterator[_Entry]:
        if audience is not None:
            of_them = (entry for tenant in audience for entry in self._newest.get(tenant, {}).values())
            yield from sorted((entry for entry in of_them if place < entry.place <= told), key=_place_of)
            return
        start = bisect_right(self._log, place, key=_place_of)
        end = bisect_right(self._log, told, key=_place_of)
        yield from filter(self._is_newest, islice(self._log, start, end))

    def _is_newest(self, entry: _Entry) -> bool:
        return self._newest.get(entry.told.tenant, {}).get(entry.subject) is entry

    def _life_of(self, audience: Audience) -> str:
        if audience is None:
            return self._generation
        return f"{self._generation}~{blake2b(' '.join(sorted(audience)).encode(), digest_size=8).hexdigest()}"

    def _seen(self, audience: Audience, last_id: str | None) -> Offsets:
        nothing = (-1,) * len(self._ends)
        life, _, offsets = (last_id or "").rpartition("~")
        try:
            seen = tuple(int(part) for part in offsets.split("."))
        except ValueError:
            return nothing
        if life != self._life_of(audience) or len(seen) != len(nothing):
            return nothing
        # An offset beyond all that is there: the topic is another one by now, so everything is news.
        return nothing if _exceeds(seen, tuple(self._ends)) else seen


class CountSubscription:
    """One listener: its place in the log."""

    def __init__(self, stream: CountStream, audience: Audience, seen: Offsets) -> None:
        self._stream, self._audience, self._seen = stream, audience, seen
        self._place = stream.place_of(seen)
        self._refreshes = stream.refreshes.listen(audience)
        self._resumed = stream.end if max(seen) >= 0 else 0
        self._bell = stream.bell_of(audience)

    async def __aiter__(self) -> AsyncIterator[News | RefreshNews | None]:
        while not self._stream.closed:
            while (news := self._next() or self._refreshes.next()) is not None:
                yield news
                await asyncio.sleep(0)  # of many blocks one after the other, others get theirs as well
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._bell.wait()
            except TimeoutError:
                yield None

    def _next(self) -> News | None:
        while self._place < self._stream.told:
            began, told = self._place, self._stream.told
            news, self._place = self._stream.block_after(self._audience, began, told)
            # Another process may have read partitions in another order: what it has told lies beyond no single place.
            if news is not None and began < self._resumed:
                news = news.beyond(self._seen)
            if news is not None:
                return news
        return None


def _exceeds(offsets: Offsets, seen: Offsets) -> bool:
    return any(offset > was for offset, was in zip(offsets, seen, strict=True))
