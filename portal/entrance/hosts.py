"""Owns the refusal of requests for another host: a name of somebody else's that was made to lead to this machine."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.entrance.refusals import refuse

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""What a portal that only its own machine reaches is called."""


class KnownHosts:
    """ASGI middleware: answers requests for `hosts` alone, whatever the port; None = for any.

    A page of another site can let its own name lead to 127.0.0.1 (DNS rebinding). To the browser it is then of one
    origin with the portal, and only the Host header tells.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._hosts is None or scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        host = _without_port(Headers(scope=scope).get("host", ""))
        if host in self._hosts:
            await self._app(scope, receive, send)
            return
        names = ", ".join(sorted(self._hosts))
        detail = f"this portal has no sign-in and is for its own machine: ask for it as one of {names}"
        await refuse(scope, receive, send, 421, detail)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
