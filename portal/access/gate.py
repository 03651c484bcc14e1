"""Owns the one place where a request becomes somebody's: who asks is found out before anything answers."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.access.principals import LOCAL, Principal
from portal.entrance.refusals import refuse
from portal.services import ServiceError

Recognise = Callable[[HTTPConnection], Awaitable[Principal | None]]
"""Returns who asks, None for a stranger."""


def sends_token(headers: Headers) -> bool:
    """Tell whether a request brings an API token. A browser adds none of its own accord, as it does with cookies and
    with a password that a proxy asked for (Basic)."""
    return headers.get("authorization", "").lower().startswith("bearer ")


async def anybody_here(_: HTTPConnection) -> Principal | None:
    """Take everybody for the user of this machine: for a portal that listens on the loopback address alone."""
    return LOCAL


class Gate:
    """ASGI middleware: puts the principal of a request, or None, into its state (`principal_of`)."""

    def __init__(self, app: ASGIApp, recognise: Recognise) -> None:
        self._app, self._recognise = app, recognise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            state = scope.setdefault("state", {})
            state["recognise"] = self._recognise
            try:
                state["principal"] = await self._recognise(HTTPConnection(scope))
            except ServiceError as error:
                await refuse(scope, receive, send, 503, str(error), {"Retry-After": "5"})
                return
        await self._app(scope, receive, send)


def principal_of(request: HTTPConnection) -> Principal | None:
    """Return who asks, None for a stranger."""
    found: Principal | None = request.scope["state"]["principal"]
    return found


async def still_known(request: HTTPConnection) -> bool:
    """Ask anew who it is that asked, and tell whether it is the same: a token may be revoked, a session over."""
    recognise: Recognise = request.scope["state"]["recognise"]
    try:
        return await recognise(request) == principal_of(request)
    except ServiceError:
        return False
