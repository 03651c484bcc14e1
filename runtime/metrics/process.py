"""Owns which figures a process of which role has, and that they are served where the settings say."""

import contextlib
from collections.abc import Iterator
from typing import Literal

from prometheus_client import CollectorRegistry

from runtime.metrics.exposition import Shown
from runtime.metrics.health import Health
from runtime.metrics.server import serve_figures
from runtime.settings import Metrics

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
def figures_served(own: Metrics, *roles: Role) -> Iterator[tuple[Shown, Health]]:
    """Serve the figures of this process until left, if the settings name a port. Raises MetricsError."""
    shown = Shown(registries_of(*roles))
    health = Health()
    with contextlib.ExitStack() as stack:
        if own.port is not None:
            stack.enter_context(serve_figures(own.host, own.port, shown, health))
        yield shown, health
