"""Owns what a stranger meets at the pages: the way to the sign-in, which leads back to what was asked for."""

from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.access.gate import principal_of
from portal.entrance.refusals import refuse

LOGIN = "/auth/login"
_OF_A_PAGE = "/_nicegui"
"""Files and socket of the pages: whoever asks for them without a session has a page of before, and no place to go."""


def way_to_sign_in(path: str, query: str) -> str:
    """Return where to sign in so that one comes back to a page."""
    return f"{LOGIN}?next={quote(f'{path}?{query}' if query else path, safe='/')}"


class AskToSignIn:
    """ASGI middleware of the pages, behind the gate: sends strangers to the sign-in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or principal_of(HTTPConnection(scope)) is not None:
            await self._app(scope, receive, send)
        elif scope.get("method") == "GET" and not scope["path"].startswith(_OF_A_PAGE):
            # The path as it came: decoded, it may hold a character that has a meaning in an address.
            path, query = (scope[name].decode("latin-1") for name in ("raw_path", "query_string"))
            await RedirectResponse(way_to_sign_in(path, query), 303)(scope, receive, send)
        else:
            await refuse(scope, receive, send, 401, "sign in first: open the page again")
