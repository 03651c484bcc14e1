"""Owns which tenant is due for what, and in which order; it runs nothing and knows no clock: times are monotonic
seconds, passed in.

An errand goes to one of two queues, of the healthy and of the ailing (whose last errand failed), so that tenants that
fail keep nobody waiting. In a queue refreshes go first, then notifications, then polls for changes, then full readings,
each by how long it has been due; but every fourth place is for whoever has waited longest, once that is more than a
poll interval. So each kind moves on however many there are of the others.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, KeysView
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Final, Literal

COALESCE_S: Final = 0.5
"""Notifications of a tenant that come within this go into one errand."""

_LONGEST_EVERY: Final = 4
_POLL_JITTER: Final = (0.9, 1.1)
_FULL_JITTER: Final = (0.95, 1.05)
_BACK_OFF_JITTER: Final = (0.8, 1.0)

Errand = Literal["full", "delta"]


@dataclass(frozen=True, slots=True)
class Due:
    """An errand that is handed out. `refresh`: the request that asked for it. `users` and `groups`: what notifications
    were about; without either it is about everything that changed."""

    tenant: str
    errand: Errand
    refresh: str | None
    users: frozenset[str]
    groups: bool


class _Kind(IntEnum):
    """Why a tenant is due, the most urgent first."""

    REFRESH = 0
    NOTIFIED = 1
    POLL = 2
    FULL = 3


@dataclass(slots=True, eq=False)
class _Tenant:
    name: str
    resumable: bool
    """Whether changes can be asked for; otherwise a full errand has to be ok first."""
    since: dict[_Kind, float] = field(default_factory=dict)
    """When it is due, or has been since."""
    queued: set[_Kind] = field(default_factory=set)
    """What of it is in a queue."""
    wakes: list[float] = field(default_factory=list)
    """Its entries among all wakes, the earliest last."""
    refreshes: deque[str] = field(default_factory=deque)
    users: set[str] = field(default_factory=set)
    groups: bool = False
    under_way: tuple[_Kind, Due] | None = None
    ailing: bool = False
    failures: dict[Errand, int] = field(default_factory=lambda: {"full": 0, "delta": 0})
    """How many in a row."""
    throttled_until: float = 0.0
    resting_until: float = 0.0

    def want(self, kind: _Kind, at: float) -> None:
        if self.since.get(kind) != at:
            self.since[kind] = at
            self.queued.discard(kind)

    def want_by(self, kind: _Kind, at: float) -> None:
        self.want(kind, min(at, self.since.get(kind, at)))

    def drop(self, kind: _Kind) -> None:
        self.since.pop(kind, None)
        self.queued.discard(kind)

    def may(self, kind: _Kind) -> bool:
        return self.under_way is None and (self.resumable or kind in (_Kind.REFRESH, _Kind.FULL))

    def wakes_at(self) -> float | None:
        """Return when something of it is to be queued next."""
        times = (at for kind, at in self.since.items() if kind not in self.queued and self.may(kind))
        return min(times, default=None)


class _Queue:
    """Tenants that are due, by kind. What has changed since it was queued is passed over when its turn comes."""

    def __init__(self, *, ailing: bool, patience_s: float) -> None:
        self._ailing = ailing
        self._patience_s = patience_s
        self._kinds: dict[_Kind, list[tuple[float, int, _Tenant]]] = {kind: [] for kind in _Kind}
        self._order = count()
        self._handed_out = 0

    def put(self, tenant: _Tenant, kind: _Kind) -> None:
        tenant.queued.add(kind)
        heapq.heappush(self._kinds[kind], (tenant.since[kind], next(self._order), tenant))

    def take(self, now: float, known: Callable[[_Tenant], bool]) -> tuple[_Tenant, _Kind] | None:
        """Return whose turn it is, and no longer queued as that."""
        heads = [(since, kind) for kind in _Kind if (since := self._head(kind, known)) is not None]
        if not heads:
            return None
        self._handed_out += 1
        since, kind = min(heads)
        if self._handed_out % _LONGEST_EVERY or now - since <= self._patience_s:
            kind = heads[0][1]
        _, _, tenant = heapq.heappop(self._kinds[kind])
        tenant.queued.discard(kind)
        return tenant, kind

    def _head(self, kind: _Kind, known: Callable[[_Tenant], bool]) -> float | None:
        heap = self._kinds[kind]
        while heap:
            since, _, tenant = heap[0]
            is_current = known(tenant) and tenant.ailing == self._ailing and tenant.since.get(kind) == since
            if is_current and tenant.may(kind):
                return since
            heapq.heappop(heap)
            if is_current:
                # It is queued again after the errand that is under way.
                tenant.queued.discard(kind)
        return None


class Schedule:
    """When to ask which tenant for what. `poll_s` and `full_s`: between two polls for changes, and between two full
    readings. `draw`: at random in [0, 1).

    A full errand that fails is due again; polls go on beside it if changes can be asked for, that is after `resume` or
    a full errand that was ok, until Graph wants a full one (`full_wanted`). After a failure the tenant rests, whatever
    is due; only a refresh that is asked for in that time does not wait, unless Graph said for how long to.
    """

    def __init__(self, poll_s: float, full_s: float, draw: Callable[[], float]) -> None:
        self._poll_s = poll_s
        self._full_s = full_s
        self._draw = draw
        self._tenants: dict[str, _Tenant] = {}
        self._wakes: list[tuple[float, int, _Tenant]] = []
        self._order = count()
        self._healthy = _Queue(ailing=False, patience_s=poll_s)
        self._ailing = _Queue(ailing=True, patience_s=poll_s)

    def add(self, tenant: str, now: float, *, resume: bool) -> None:
        """Know a tenant: a full errand is due now, and with `resume` one for changes before it. One that is known
        stays as it is."""
        if tenant in self._tenants:
            return
        added = self._tenants[tenant] = _Tenant(tenant, resume)
        added.want(_Kind.FULL, now)
        if resume:
            added.want(_Kind.POLL, now)
        self._wake(added)

    def remove(self, tenant: str) -> None:
        """Forget a tenant, also one whose errand is under way."""
        self._tenants.pop(tenant, None)

    def tenants(self) -> KeysView[str]:
        """Return who is known."""
        return self._tenants.keys()

    def is_ailing(self, tenant: str) -> bool:
        """Tell whether the last errand of a tenant failed."""
        known = self._tenants.get(tenant)
        return known is not None and known.ailing

    def ask_full(self, tenant: str, now: float, refresh: str | None = None) -> None:
        """Run a full errand as soon as possible, after the one under way. Each `refresh` gets one of its own that is
        ok."""
        if (asked := self._tenants.get(tenant)) is None:
            return
        if refresh is None:
            asked.want_by(_Kind.FULL, max(now, asked.resting_until))
        elif refresh not in asked.refreshes:
            asked.refreshes.append(refresh)
            asked.want_by(_Kind.REFRESH, max(now, asked.throttled_until))
        self._wake(asked)

    def notify(self, tenant: str, now: float, users: Iterable[str], groups: bool) -> None:
        """Run an errand for changes as soon as possible, after the one under way. One that is about some users or
        groups does not put off the next poll, which is about everything."""
        if (told := self._tenants.get(tenant)) is None:
            return
        told.users.update(users)
        told.groups |= groups
        told.want_by(_Kind.NOTIFIED, max(now + COALESCE_S, told.resting_until))
        self._wake(told)

    def due(self, now: float, slots: int, ailing_slots: int) -> list[Due]:
        """Take what is due, for at most so many healthy and so many ailing tenants; it is under way until it is
        finished."""
        while (at := self.next_at()) is not None and at <= now:
            self._line_up(self._wakes[0][2], now)
        return [*self._take(self._healthy, slots, now), *self._take(self._ailing, ailing_slots, now)]

    def next_at(self) -> float | None:
        """Return when to call `due` next, besides when a slot comes free: what it left is not counted, for that waits
        for slots. None = nothing comes by itself."""
        while self._wakes:
            at, _, tenant = self._wakes[0]
            if self._knows(tenant) and tenant.wakes_at() == at:
                return at
            heapq.heappop(self._wakes)
            tenant.wakes.pop()
            self._wake(tenant)
        return None

    def finished(
        self,
        tenant: str,
        now: float,
        *,
        errand: Errand,
        ok: bool,
        retry_after_s: float | None = None,
        full_wanted: bool = False,
    ) -> None:
        """Tell how an errand ended. `full_wanted`: Graph cannot tell changes, so a full errand is due at once; a full
        errand that ends so has failed, or it would go round in a circle. Not under way: nothing."""
        ended = self._tenants.get(tenant)
        if ended is None or ended.under_way is None:
            return
        (kind, due), ended.under_way = ended.under_way, None
        ok = ok and not (full_wanted and errand == "full")
        self._judge(ended, now, errand, ok, retry_after_s or 0.0)
        if not ok:
            self._put_back(ended, kind, due, now)
        elif errand == "full":
            ended.resumable = True
            ended.want(_Kind.POLL, now + self._poll_s * self._between(*_POLL_JITTER))
            ended.want_by(_Kind.FULL, now + self._full_s * self._between(*_FULL_JITTER))
        if _Kind.POLL not in ended.since:
            ended.want(_Kind.POLL, now + self._poll_s * self._between(*_POLL_JITTER))
        if ended.resting_until > now:
            for waiting, at in list(ended.since.items()):
                ended.want(waiting, max(at, ended.resting_until))
        if full_wanted and errand == "delta":
            ended.resumable = False
            ended.want(_Kind.FULL, max(now, ended.throttled_until))
        self._wake(ended)

    def _judge(self, tenant: _Tenant, now: float, errand: Errand, ok: bool, retry_after_s: float) -> None:
        tenant.failures[errand] = 0 if ok else tenant.failures[errand] + 1
        tenant.throttled_until = tenant.resting_until = now + retry_after_s
        if not ok:
            # The exponent is bounded, for a tenant may fail for months.
            back_off = min(1.0, 0.1 * 2 ** min(tenant.failures[errand], 4)) * self._between(*_BACK_OFF_JITTER)
            tenant.resting_until = max(tenant.throttled_until, now + self._poll_s * back_off)
        if tenant.ailing == ok:
            # What of it is queued, is so among the wrong ones.
            tenant.ailing = not ok
            tenant.queued.clear()

    def _put_back(self, tenant: _Tenant, kind: _Kind, due: Due, now: float) -> None:
        tenant.want_by(kind, now)
        tenant.users |= due.users
        tenant.groups |= due.groups
        if due.refresh is not None:
            tenant.refreshes.appendleft(due.refresh)

    def _take(self, queue: _Queue, slots: int, now: float) -> Iterable[Due]:
        while slots > 0 and (turn := queue.take(now, self._knows)) is not None:
            slots -= 1
            yield _hand_out(*turn)

    def _knows(self, tenant: _Tenant) -> bool:
        return self._tenants.get(tenant.name) is tenant

    def _line_up(self, tenant: _Tenant, now: float) -> None:
        queue = self._ailing if tenant.ailing else self._healthy
        for kind, at in tenant.since.items():
            if at <= now and kind not in tenant.queued and tenant.may(kind):
                queue.put(tenant, kind)

    def _wake(self, tenant: _Tenant) -> None:
        """See to it that the tenant is looked at in time. An entry that it has and that is early enough is used again,
        so that there are never many."""
        at = tenant.wakes_at() if self._knows(tenant) else None
        if at is not None and not (tenant.wakes and tenant.wakes[-1] <= at):
            tenant.wakes.append(at)
            heapq.heappush(self._wakes, (at, next(self._order), tenant))

    def _between(self, low: float, high: float) -> float:
        return low + (high - low) * self._draw()


def _hand_out(tenant: _Tenant, kind: _Kind) -> Due:
    """Put an errand under way and take what it is about from the tenant."""
    users: frozenset[str] = frozenset()
    groups, refresh = False, None
    if kind is _Kind.NOTIFIED:
        users, groups = frozenset(tenant.users), tenant.groups
        tenant.users.clear()
        tenant.groups = False
        tenant.drop(kind)
    if kind is _Kind.POLL or (kind is _Kind.NOTIFIED and not (users or groups)):
        tenant.drop(_Kind.POLL)
    if kind in (_Kind.REFRESH, _Kind.FULL):
        refresh = tenant.refreshes.popleft() if tenant.refreshes else None
        tenant.drop(_Kind.FULL)
        if not tenant.refreshes:
            tenant.drop(_Kind.REFRESH)
    errand: Errand = "full" if kind in (_Kind.REFRESH, _Kind.FULL) else "delta"
    due = Due(tenant.name, errand, refresh, users, groups)
    tenant.under_way = kind, due
    return due
