"""The socket of a page without a browser: what a page's script sends, and what others could send in its place."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.support.ports import HOST
from tests.support.signing_in import PUBLIC, SignInPortal
from tests.support.waiting import eventually_async

_OPEN, _CONNECT, _REFUSED, _EVENT = "0", "40", "44", "42"
_PING, _PONG = "2", "3"


class PageSocket:
    """A socket that somebody has opened for a page; `heard` is all that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self.heard = socket, ""

    async def hear(self, text: str, timeout_s: float = 15.0) -> None:
        """Wait until a text was heard."""

        async def is_heard() -> bool:
            if text in self.heard:
                return True
            said = str(await self._socket.recv())
            if said == _PING:
                await self._socket.send(_PONG)
            self.heard += said
            return text in self.heard

        await eventually_async(is_heard, timeout_s)

    async def click(self, page: httpx.Response, label: str) -> None:
        """Send the click of a button of a page, whosever that is."""
        button, listener = _button(page, label)
        sent = {"client_id": page_id(page), "id": button, "listener_id": listener, "args": ["null"]}
        await self._socket.send(_EVENT + json.dumps(["event", sent]))


def page_id(page: httpx.Response) -> str:
    """Return the id of a page, by which NiceGUI knows it."""
    found = re.search(r"[\"']client_id[\"']: ?[\"']([0-9a-f-]{36})", page.text)
    assert found is not None
    return found[1]


def _button(page: httpx.Response, label: str) -> tuple[int, str]:
    found = re.search(r"parseElements\(String.raw`(.*?)`\)", page.text, re.DOTALL)
    assert found is not None
    elements: dict[str, dict[str, Any]] = json.loads(found[1])
    for number, element in elements.items():
        if label in (element.get("props", {}).get("label"), element.get("props", {}).get("aria-label")):
            return int(number), element["events"][0]["listener_id"]
    raise AssertionError(f"the page has no button {label}")


@asynccontextmanager
async def page_socket(
    portal: SignInPortal, asker: httpx.AsyncClient, page: httpx.Response
) -> AsyncIterator[PageSocket]:
    """Open the socket of a page as somebody; it has heard whether that was refused."""
    query = {
        "EIO": "4", "transport": "websocket", "client_id": page_id(page), "next_message_id": "0",
        "implicit_handshake": "true", "document_id": "d", "tab_id": page_id(page),
    }  # fmt: skip
    headers = {"Host": "portal.example"} | {
        name: asker.headers[name] for name in ("Authorization",) if name in asker.headers
    }
    cookies = "; ".join(f"{name}={value}" for name, value in asker.cookies.items())
    if cookies:
        headers["Cookie"] = cookies
    address = f"ws://{HOST}:{portal.port}/_nicegui_ws/socket.io/?{urlencode(query)}"
    async with connect(address, additional_headers=headers, origin=PUBLIC) as socket:  # type: ignore[arg-type]
        opened = PageSocket(socket)
        await opened.hear(_OPEN)
        await socket.send(_CONNECT)
        await opened.hear("4")
        yield opened
