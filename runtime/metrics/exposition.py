"""Owns what a process shows of itself: its registries side by side, and who it is."""

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import version

from prometheus_client import REGISTRY, CollectorRegistry, Gauge, Metric, disable_created_metrics

from runtime.metrics import health

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began: twice the lines, for what no question of ours asks

about = CollectorRegistry()
Gauge("poolwatch_build_info", "1; which version runs, on which Python.", ["version", "python"], registry=about).labels(
    version("poolwatch"), platform.python_version()
).set(1)

EVERYWHERE = (REGISTRY, health.registry, about)
"""What every process shows: memory, processor time and garbage (the client library's), its loop, its version."""


class Shown:
    """Several registries as one. `add` takes those that come to be later."""

    def __init__(self, registries: Iterable[CollectorRegistry] = ()) -> None:
        self._registries = [*EVERYWHERE, *registries]

    def add(self, registry: CollectorRegistry) -> None:
        """Show another registry as well."""
        self._registries.append(registry)

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        for registry in list(self._registries):
            yield from registry.collect()
