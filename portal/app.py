"""Owns the making of the web application from its services."""

import clickhouse_connect.driver.exceptions as clickhouse
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.types import ASGIApp

from portal import problems
from portal.access.gate import Gate, Recognise, anybody_here
from portal.access.threshold import AskToSignIn
from portal.answers.context import Context
from portal.answers.ranges import RangeError
from portal.api import (
    alerts,
    backup,
    events,
    forecast,
    history,
    operations,
    reclaim,
    reports,
    seats,
    settings,
    sources,
    stream,
    syncs,
    tenants,
    tokens,
    vendor,
    what_if,
)
from portal.api.document import DESCRIPTION, TAGS, DocumentedApi
from portal.api.enforcement import enforce
from portal.entrance.entrance import OF_THIS_MACHINE, Entrance
from portal.entrance.headers import FOR_ANSWERS, FOR_NOTICES, FOR_PAGES, SecurityHeaders
from portal.entrance.hosts import KnownHosts
from portal.entrance.origins import SameOrigin
from portal.entrance.rates import Limited
from portal.metrics import Measured, Metrics
from portal.services import ServiceError, Services
from portal.web.site import Portal, create_site

log = structlog.get_logger()

_RETRY = {"Retry-After": "5"}
_OPEN = Entrance()


def create_app(
    services: Services,
    recognise: Recognise = anybody_here,
    entrance: Entrance = _OPEN,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Return the API's application. What it is given is started and stopped by the caller. `metrics`: where it counts,
    if others are to see them too."""
    app = DocumentedApi(
        title="Poolwatch",
        version=services.about.version,
        summary="Licence metering for Microsoft Teams telephony",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url="/api/openapi.json",
        # Their pages fetch scripts from elsewhere; the document itself is all that tools need.
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(enforce)],
    )
    app.state.context = Context(services)
    app.state.metrics = metrics or Metrics(services.live)
    _guard(app, app.state.metrics, recognise, entrance)
    problems.install(app)
    app.add_exception_handler(ServiceError, _service_away)
    app.add_exception_handler(RangeError, _range_refused)
    app.add_exception_handler(clickhouse.ClickHouseError, _history_away)
    for module in (
        tenants,
        history,
        forecast,
        seats,
        reclaim,
        reports,
        settings,
        what_if,
        events,
        syncs,
        sources,
        stream,
        alerts,
        vendor,
        tokens,
        operations,
        backup,
    ):
        app.include_router(module.router)
    return app


def create_portal(
    services: Services,
    recognise: Recognise = anybody_here,
    entrance: Entrance = OF_THIS_MACHINE,
    metrics: Metrics | None = None,
) -> Portal:
    """Return the whole portal: the API, the pages beside it, and where one signs in. One a process."""
    api = create_app(services, recognise, entrance, metrics)
    metrics = api.state.metrics
    site = create_site(api.state.context)
    if entrance.sign_in is not None:
        site.add_middleware(AskToSignIn)
        _guard(entrance.sign_in, metrics, recognise, entrance)
    _guard(site, metrics, recognise, entrance)
    sign_in = entrance.sign_in and _hardened(entrance.sign_in, FOR_NOTICES, entrance)
    return Portal(_hardened(api, FOR_ANSWERS, entrance), _hardened(site, FOR_PAGES, entrance), sign_in)


def _guard(app: Starlette, metrics: Metrics, recognise: Recognise, entrance: Entrance) -> None:
    # A redirect to the path without its last slash names the host that was asked for, whoever's, and plain http where a
    # proxy does not tell of TLS: a program would send its token there.
    app.router.redirect_slashes = False
    # The last one added is the first that a request meets.
    app.add_middleware(Limited, rates=entrance.rates)
    app.add_middleware(Gate, recognise=recognise)
    app.add_middleware(SameOrigin, origin=entrance.origin, cookie=entrance.session_cookie)
    app.add_middleware(Measured, metrics=metrics)


def _hardened(app: ASGIApp, policy: str, entrance: Entrance) -> ASGIApp:
    # Around the application and not inside it: its answers to failures come from outside of its own middleware.
    https = entrance.origin is not None and entrance.origin.startswith("https:")
    return SecurityHeaders(KnownHosts(app, entrance.hosts), policy, https=https)


async def _service_away(request: Request, error: Exception) -> JSONResponse:
    request.app.state.metrics.away.labels(type(error).__name__).inc()
    return problems.problem_response(request, 503, str(error), _RETRY)


async def _range_refused(request: Request, error: Exception) -> JSONResponse:
    return problems.problem_response(request, 422, str(error))


async def _history_away(request: Request, error: Exception) -> JSONResponse:
    request.app.state.metrics.away.labels("ClickHouse").inc()
    log.error("history_unreadable", route=problems.route_of(request), error=type(error).__name__)
    detail = "history cannot be read from ClickHouse now: check that it runs; the live counts are not concerned"
    return problems.problem_response(request, 503, detail, _RETRY)
