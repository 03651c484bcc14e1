"""Owns the headers that every answer carries, so that a browser holds the portal's pages and answers to what they
are."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOR_ANSWERS = "default-src 'none'; frame-ancestors 'none'"
"""Content-Security-Policy of the API: what it gives is read, never shown as a page."""
FOR_PAGES = (
    # NiceGUI writes its elements into the page, and Vue compiles templates in the browser.
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; form-action 'self';"
    " base-uri 'self'; frame-ancestors 'none'"
)
FOR_NOTICES = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""That of the few pages about signing in: text, a link, a button."""

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that a browser calls the origin of the portal's own forms "null".
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S = 31_536_000


class SecurityHeaders:
    """ASGI middleware, the outermost, so that refusals and failures have them too: adds to each answer what it does not
    say itself. `policy` is the content security policy; `https`: browsers reach the portal by it alone."""

    def __init__(self, app: ASGIApp, policy: str, *, https: bool) -> None:
        self._app = app
        self._added = _ALWAYS | {"Content-Security-Policy": policy}
        if https:
            self._added["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._added.items():
                    headers.setdefault(name, value)
                # What has an entity tag may be kept, if it is asked about each time; all else is nobody's to keep.
                headers.setdefault("Cache-Control", "private, no-cache" if "etag" in headers else "no-store")
            await send(message)

        await self._app(scope, receive, guarded)
