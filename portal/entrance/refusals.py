"""Owns how middleware says no, to a request by a problem document and to a websocket by not opening it."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from portal.problems import problem_response

_POLICY_VIOLATION = 1008


async def refuse(
    scope: Scope, receive: Receive, send: Send, status: int, detail: str, headers: dict[str, str] | None = None
) -> None:
    """Answer a request with a problem; refuse the handshake of a websocket, whose client sees a 403 without words."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
    else:
        await problem_response(Request(scope), status, detail, headers)(scope, receive, send)
