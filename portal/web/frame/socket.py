"""Owns whom a page listens to: its own visitor. To NiceGUI whoever knows the id of a page is that, and the id stands in
the address of the page's socket, which proxies write into their logs."""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import socketio
from nicegui import Client, core
from starlette.requests import HTTPConnection

from portal.access.gate import principal_of

_IN_A_PAGE = ("event", "javascript_response", "ack", "log")
_REFUSED = "Implicit handshake failed"
"""What NiceGUI says in the browser's hearing where a page is gone; the browser then loads it anew."""


@cache
def install() -> None:
    """Let the socket of the pages refuse what comes from others. Once a process, as NiceGUI's socket is."""
    sio = core.sio
    known: dict[str, Callable[..., Any]] = dict(sio.handlers["/"])

    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
        asked = parse_qs(environ.get("QUERY_STRING", "")).get("client_id", [""])
        if not all(_is_visitor(page_id, environ) for page_id in asked):
            raise socketio.exceptions.ConnectionRefusedError(_REFUSED)
        await known["connect"](sid, environ, auth)

    async def handshake(sid: str, data: dict[str, Any]) -> bool:
        return _is_visitor(data["client_id"], sio.get_environ(sid)) and await known["handshake"](sid, data)

    def in_its_page(heard: Callable[[str, dict[str, Any]], None]) -> Callable[[str, dict[str, Any]], None]:
        def hear(sid: str, data: dict[str, Any]) -> None:
            if data["client_id"] in sio.rooms(sid):  # the handshake has put it there
                heard(sid, data)

        return hear

    sio.on("connect", connect)
    sio.on("handshake", handshake)
    for name in _IN_A_PAGE:
        sio.on(name, in_its_page(known[name]))


def _is_visitor(page_id: str, environ: dict[str, Any]) -> bool:
    page = Client.instances.get(page_id)
    return page is None or principal_of(page.request) == principal_of(HTTPConnection(environ["asgi.scope"]))
