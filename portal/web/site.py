"""Owns the application that serves the pages, beside the API's: NiceGUI, whose wheel carries all that a browser
fetches, so no request leaves the machine."""

from fastapi import FastAPI
from nicegui import app, ui
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.answers.context import Context
from portal.web.alerts import page as alerts
from portal.web.audit import page as audit
from portal.web.changes import page as changes
from portal.web.frame import errors, socket
from portal.web.history import page as history
from portal.web.overview import page as overview
from portal.web.reclaim import page as reclaim
from portal.web.reports import page as reports
from portal.web.seats import page as seats
from portal.web.seats import seat
from portal.web.settings import page as settings
from portal.web.sources import page as sources
from portal.web.what_if import page as what_if

PAGES = (overview, audit, history, seats, seat, reclaim, reports, what_if, settings, changes, sources, alerts)
"""A page registers itself where it is defined: to be there, it has to be imported."""

_OF_THE_API = ("/api/", "/healthz", "/readyz", "/metrics")


def create_site(context: Context) -> FastAPI:
    """Return the application of the pages. There is one a process: NiceGUI keeps its pages for the whole of it."""
    ui.button.default_props("no-caps unelevated")
    ui.checkbox.default_props("dense")
    site = FastAPI(openapi_url=None)
    ui.run_with(site, title="Poolwatch", language="en-US", dark=None, tailwind=False, show_welcome_message=False)
    app.router.redirect_slashes = False  # likewise as in portal.app: this is an application within the site's
    errors.install()
    socket.install()
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
    """The whole portal as one ASGI application: API and sign-in under paths of their own, pages everywhere else."""

    def __init__(self, api: ASGIApp, site: ASGIApp, sign_in: ASGIApp | None) -> None:
        self._api, self._site, self._sign_in = api, site, sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app_of(scope)(scope, receive, send)

    def _app_of(self, scope: Scope) -> ASGIApp:
        if scope["type"] == "http" and scope["path"].startswith(_OF_THE_API):
            return self._api
        if scope["type"] == "http" and self._sign_in is not None and scope["path"].startswith("/auth/"):
            return self._sign_in
        return self._site
