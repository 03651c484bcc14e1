"""Owns how many requests run at a time: of one tenant, and of the application, whose slots tenants take in turn.

A slot is held for one attempt and never while waiting: a throttled tenant takes nothing from the others. Nor does one
whose requests hang, for long: its slot is lent to them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SLOW_S: Final = 5.0
"""A request that takes longer lends its slot of the application to the next one."""
MOST_SLOW: Final = 448
"""As many are lent at a time: each is a connection more."""


class Limits:
    """Slots for requests. A slot that comes free goes to the next tenant in turn, however many requests each has."""

    def __init__(self, *, app: int = 64, per_tenant: int = 4) -> None:
        self._free = app
        self._per_tenant = per_tenant
        self._lent: set[object] = set()
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        # The turn: tenants that wait and may run another one. A dict, because it keeps order and finds at once.
        self._turn: dict[str, None] = {}

    @asynccontextmanager
    async def slot(self, tenant: str) -> AsyncIterator[None]:
        """Hold a slot of the tenant and one of the application; waits for its turn."""
        await self._take(tenant)
        mine = object()
        lending = asyncio.get_running_loop().call_later(SLOW_S, self._lend, mine)
        try:
            yield
        finally:
            lending.cancel()
            if mine in self._lent:
                self._lent.remove(mine)
                self._free -= 1
            self._give_back(tenant)

    def _lend(self, slot: object) -> None:
        if len(self._lent) < MOST_SLOW:
            self._lent.add(slot)
            self._free += 1
            self._hand_out()

    async def _take(self, tenant: str) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(mine)
        self._line_up(tenant)
        self._hand_out()
        try:
            await mine
        except asyncio.CancelledError:
            # A slot may have been given in the same moment; nobody would give it back.
            if mine.done() and not mine.cancelled():
                self._give_back(tenant)
            raise

    def _give_back(self, tenant: str) -> None:
        self._free += 1
        self._running[tenant] -= 1
        if not self._running[tenant]:
            del self._running[tenant]
        self._line_up(tenant)
        self._hand_out()

    def _line_up(self, tenant: str) -> None:
        if tenant in self._waiting and self._running[tenant] < self._per_tenant:
            self._turn.setdefault(tenant)

    def _hand_out(self) -> None:
        while self._free > 0 and self._turn:
            tenant = next(iter(self._turn))
            del self._turn[tenant]
            queue = self._waiting[tenant]
            granted = queue.popleft()
            if not queue:
                del self._waiting[tenant]
            if not granted.cancelled():
                self._free -= 1
                self._running[tenant] += 1
                granted.set_result(None)
            self._line_up(tenant)
