"""Owns the portal's metrics: a closed list of names, each with a line of meaning."""

import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.services import LiveCounts

AWAY = ("ClickHouse", "NoBroker", "NoAnswer", "NotDurable", "TokensUnreadable")
"""Beside ClickHouse the exceptions of `portal.services`."""


class Metrics:
    """The portal's metrics in a registry of their own."""

    def __init__(self, live: LiveCounts) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "poolwatch_portal_requests", "Requests by method, route and status.", ["method", "route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "poolwatch_portal_request_seconds", "Time to the first byte of an answer.", ["method", "route"],
            registry=self.registry,
        )  # fmt: skip
        self.streams = Gauge(
            "poolwatch_portal_streams_open", "Listeners to the stream of counts.", registry=self.registry
        )
        self.events = Counter(
            "poolwatch_portal_events", "Events that came by HTTP.", ["outcome"], registry=self.registry
        )
        self.away = Counter(
            "poolwatch_portal_away", "Answers that failed because something else is away.", ["what"],
            registry=self.registry,
        )  # fmt: skip
        for outcome in ("accepted", "rejected"):
            self.events.labels(outcome)  # 0 is told too: a rate needs a beginning
        for what in AWAY:
            self.away.labels(what)
        tenants = Gauge("poolwatch_portal_tenants", "Tenants with a live count.", registry=self.registry)
        tenants.set_function(lambda: len(live.counts()))
        ready = Gauge("poolwatch_portal_ready", "1 once all counts have been read.", registry=self.registry)
        ready.set_function(lambda: float(live.ready))


class Measured:
    """ASGI middleware that counts requests by route template: no tenant and no subject becomes a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message, time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, measured)

    def _count(self, scope: Scope, message: Message, seconds: float) -> None:
        route: Any = scope.get("route")
        template = getattr(route, "path", "unmatched")
        self._metrics.requests.labels(scope["method"], template, str(message["status"])).inc()
        self._metrics.seconds.labels(scope["method"], template).observe(seconds)
