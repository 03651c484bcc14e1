"""Owns the refusal of requests that another site's page makes in a browser: a portal may stand on localhost."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.problems import problem_response

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SameOrigin:
    """ASGI middleware: what changes something is taken from the portal's own pages and from what is no browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS or _is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        detail = "the request comes from a page of another site: send it from Poolwatch's own pages or from a program"
        await problem_response(Request(scope), 403, detail)(scope, receive, send)


def _is_own(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")  # browsers of before 2023 send this alone
    return origin is None or urlsplit(origin).netloc == headers.get("host")
