"""Owns the refusal of what another site's page does in a browser: a portal may stand on localhost, and a browser adds
the session's cookie to requests whoever causes them."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.access.gate import sends_token
from portal.entrance.refusals import refuse

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SOCKET = "/_nicegui_ws/"
"""The pages' socket. Without websockets it is asked for by GET, and it lets every origin read what it answers."""
_FOREIGN = "the request comes from a page of another site: send it from Poolwatch's own pages or from a program"
_UNPROVEN = (
    "the request has a session's cookie and neither Sec-Fetch-Site nor Origin, so it may come from another site:"
    " a browser since 2023 sends them; a program uses an API token instead of the cookie"
)


class SameOrigin:
    """ASGI middleware: what changes something, and the pages' socket, is for the portal's own pages and for what is no
    browser.

    `origin` is the portal's own as browsers know it; None = that of the Host header. `cookie`: the session's.
    """

    def __init__(self, app: ASGIApp, origin: str | None = None, cookie: str | None = None) -> None:
        self._app, self._origin, self._cookie = app, origin, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        changes = scope["type"] == "websocket" or scope.get("method", "GET") not in _SAFE_METHODS
        if scope["type"] == "lifespan" or not (changes or scope["path"].startswith(_SOCKET)):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        own = self._is_own(headers)
        if own is False:
            await refuse(scope, receive, send, 403, _FOREIGN)
        elif own is None and changes and self._is_by_cookie(headers):
            await refuse(scope, receive, send, 403, _UNPROVEN)
        else:
            await self._app(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool | None:
        """Tell whether a page of the portal sends it; None = it does not say who does."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")  # browsers of before 2023 send this alone
        if origin is None:
            return None
        if self._origin is not None:
            return origin == self._origin
        return urlsplit(origin).netloc == headers.get("host")

    def _is_by_cookie(self, headers: Headers) -> bool:
        return not sends_token(headers) and self._cookie in cookie_parser(headers.get("cookie", ""))
