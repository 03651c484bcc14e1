"""Owns which figures a process of which role has, and that they are served where the settings say."""

import contextlib
from collections.abc import Iterator
from typing import Literal

from prometheus_client import CollectorRegistry

from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.metrics.server import serve_figures
from runtime.settings import Settings
from runtime.tracing import traced

Role = Literal["meter", "counter", "alerts", "sink", "portal", "collector"]


def registries_of(*roles: Role) -> list[CollectorRegistry]:
    """Return what a process of these roles measures, besides what all do; the portal's belong to its application."""
    from collectors.graph import metrics as graph
    from streams.metrics import alerting, broker, counting, holdings, partitions, work
    from streams.sink import metrics as sink

    of_streams = {"meter", "counter", "alerts"}
    found = {
        broker.registry: of_streams | {"collector"},
        partitions.registry: of_streams,
        holdings.registry: of_streams,
        work.registry: of_streams,
        counting.registry: {"counter"},
        alerting.registry: {"alerts"},
        sink.registry: {"sink"},
        graph.registry: {"collector"},
    }
    return [registry for registry, concerned in found.items() if concerned & set(roles)]


@contextlib.contextmanager
def observed(settings: Settings, role: Role) -> Iterator[tuple[Shown, Health]]:
    """Let this process be observed until left, as far as the settings say where: figures and probes at a port, traces
    sent. Raises MetricsError."""
    shown = Shown(registries_of(role))
    health = Health()
    with contextlib.ExitStack() as stack:
        if settings.metrics.port is not None:
            stack.enter_context(serve_figures(settings.metrics.host, settings.metrics.port, shown, health))
        stack.enter_context(traced(settings.tracing, role))
        yield shown, health
