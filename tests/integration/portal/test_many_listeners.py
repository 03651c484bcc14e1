"""Many listeners to the event stream over real connections, one of whom does not read."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest
import uvicorn

from portal.app import create_app
from runtime.web_server import serve
from tests.support.portal_world import START, World
from tests.support.ports import HOST
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTENERS = 50
ROUNDS = 20
_PADDING = "x" * 200_000
_BUFFER_BYTES = 32 * 1024


@contextlib.asynccontextmanager
async def served(world: World) -> AsyncIterator[int]:
    """Serve the portal on a port, with connections that hold little."""
    with socket.create_server((HOST, 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        config = uvicorn.Config(create_app(world.services), log_config=None, timeout_graceful_shutdown=1)
        server = asyncio.create_task(serve(config, listener))
        try:
            yield listener.getsockname()[1]
        finally:
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)


class Listener:
    """A client of a tenant's stream, and the versions that it has been told of."""

    def __init__(self, tenant: str) -> None:
        self._tenant, self._rest = tenant.encode(), b""
        self.versions: list[int] = []

    async def connect(self, port: int) -> None:
        own = socket.socket()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        own.setblocking(False)
        await asyncio.get_running_loop().sock_connect(own, (HOST, port))
        self._reader, self._writer = await asyncio.open_connection(sock=own, limit=_BUFFER_BYTES)
        self._writer.write(b"GET /api/v1/stream?tenant=%b HTTP/1.1\r\nHost: portal\r\n\r\n" % self._tenant)
        await self._reader.readuntil(b"retry: 2000")

    async def read(self) -> None:
        while received := await self._reader.read(1 << 20):
            *whole, self._rest = (self._rest + received).split(b"\n")
            for line in whole:
                if found := re.search(rb'^data: .*"version":(\d+)', line):
                    self.versions.append(int(found[1]))

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


async def test_one_that_does_not_read_delays_nobody_and_gets_the_newest_when_it_does(world: World, tenant: str) -> None:
    await world.publish(tenant, START)
    async with served(world) as port, contextlib.AsyncExitStack() as stack:
        slow, *listeners = [Listener(tenant) for _ in range(1 + LISTENERS)]
        for listener in (slow, *listeners):
            await listener.connect(port)
            stack.push_async_callback(listener.close)
        reading = [asyncio.create_task(listener.read()) for listener in listeners]

        async def all_know(version: int) -> bool:
            return all(version in listener.versions for listener in listeners)

        for version in range(2, 2 + ROUNDS):
            await world.publish(tenant, START, freshness={}, cause={"kind": "users", "example": _PADDING})
            await eventually_async(partial(all_know, version))
        reading.append(asyncio.create_task(slow.read()))

        async def slow_knows() -> bool:
            return 1 + ROUNDS in slow.versions

        await eventually_async(slow_knows)
        assert slow.versions == sorted(set(slow.versions))
        assert len(slow.versions) < ROUNDS / 2
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
