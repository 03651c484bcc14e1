"""Owns the running of a web server inside a process that has other work, and that alone listens to signals."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn


class _Server(uvicorn.Server):
    """A web server that leaves signals to the process it is part of."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve until cancelled; requests under way end, streams are cut."""
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="web-server")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
