"""Owns the application that serves the pages, beside the API's: NiceGUI, whose wheel carries all that a browser
fetches, so no request leaves the machine."""

from fastapi import FastAPI
from nicegui import ui
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.api.context import Context

# A page registers itself where it is defined.
from portal.web import audit, errors, history, overview, seat, seats, settings, sync, what_if  # noqa: F401

_OF_THE_API = ("/api/", "/healthz", "/readyz", "/metrics")


def create_site(context: Context) -> FastAPI:
    """Return the application of the pages. There is one a process: NiceGUI keeps its pages for the whole of it."""
    ui.button.default_props("no-caps unelevated")
    ui.checkbox.default_props("dense")
    site = FastAPI(openapi_url=None)
    ui.run_with(site, title="Poolwatch", language="en-US", dark=None, tailwind=False, show_welcome_message=False)
    errors.install()
    site.add_middleware(_Given, context=context)
    return site


class _Given:
    """ASGI middleware: lets the pages find the services."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app, self._context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            scope.setdefault("state", {})["context"] = self._context
        await self._app(scope, receive, send)


class Portal:
    """The whole portal as one ASGI application: the API under its own paths, pages everywhere else."""

    def __init__(self, api: ASGIApp, site: ASGIApp) -> None:
        self._api, self._site = api, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_the_api = scope["type"] == "http" and scope["path"].startswith(_OF_THE_API)
        await (self._api if of_the_api else self._site)(scope, receive, send)
