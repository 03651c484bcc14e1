"""Owns what is sent to receivers of change notifications: the handshake, changes and lifecycle events, and retries."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

_PATIENCE_S = 10.0
_ATTEMPTS = 6
_FIRST_BACKOFF_S = 0.05

Note = tuple[str, dict[str, Any]]
"""Where to, and one entry of a notification."""


class Notifier:
    """Sends from the event loop of the server; `send` may be called in every thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: asyncio.Queue[Note] = asyncio.Queue()
        self._http: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver what is sent, until left."""
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as self._http:
            self._loop = asyncio.get_running_loop()
            delivering = asyncio.create_task(self._deliver(self._http))
            try:
                yield
            finally:
                self._loop = None
                delivering.cancel()
                await asyncio.gather(delivering, return_exceptions=True)

    def send(self, url: str, note: dict[str, Any]) -> None:
        """Queue an entry; what is sent together to one address arrives together. Nobody is told when no server runs."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, (url, note))

    async def shakes_hands(self, url: str) -> bool:
        """Tell whether a receiver answers the validation token as it must."""
        assert self._http is not None, "the handshake belongs to a request, and those need the server"
        token = f"Validation: Testing client application reachability. {uuid.uuid4()} +&"
        address = httpx.URL(url).copy_merge_params({"validationToken": token})
        try:
            answer = await self._http.post(address, headers={"Content-Type": "text/plain; charset=utf-8"})
        except httpx.HTTPError:
            return False
        plain = answer.headers.get("content-type", "").startswith("text/plain")
        return answer.status_code == 200 and plain and answer.text == token

    async def _deliver(self, http: httpx.AsyncClient) -> None:
        async with asyncio.TaskGroup() as sending:
            while True:
                waiting = [await self._queue.get()]
                while not self._queue.empty():
                    waiting.append(self._queue.get_nowait())
                by_url: dict[str, list[dict[str, Any]]] = defaultdict(list)
                for url, note in waiting:
                    by_url[url].append(note)
                for url, notes in by_url.items():
                    # A slow receiver must not hold up the others.
                    sending.create_task(_post(http, url, notes))


async def _post(http: httpx.AsyncClient, url: str, notes: list[dict[str, Any]]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            answer = await http.post(url, json={"value": notes})
        except httpx.HTTPError:
            pass
        else:
            if answer.is_success:
                return
        await asyncio.sleep(_FIRST_BACKOFF_S * 2**attempt)
