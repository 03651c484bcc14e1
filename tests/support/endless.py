"""An answer without an end, read from the application itself: httpx waits for the last byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

Message = MutableMapping[str, Any]


@dataclass
class Endless:
    """What has come so far."""

    status: int = 0
    text: str = ""
    ended: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.text += message.get("body", b"").decode()
            self.ended = not message.get("more_body", False)


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, path: str, headers: dict[str, str]) -> AsyncIterator[Endless]:
    """Ask for an answer, and go away afterwards."""
    heard = Endless()
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"portal"), *((name.lower().encode(), text.encode()) for name, text in headers.items())],
        "client": ("127.0.0.1", 1), "server": ("portal", 80),
    }  # fmt: skip

    async def ask() -> None:
        await app(scope, heard.receive, heard.send)

    asked = asyncio.create_task(ask())
    try:
        yield heard
    finally:
        heard.gone.set()
        async with asyncio.timeout(10):
            await asked
