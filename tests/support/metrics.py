"""What the processes measure, as their registries say."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client import CollectorRegistry, Metric

from collectors.graph.metrics import Tenants
from portal.metrics import Metrics
from runtime.metrics import exposition, health
from runtime.metrics.process import registries_of


@dataclass(frozen=True, order=True)
class Described:
    """A metric as Prometheus knows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


class _Nothing:
    ready = True

    def counts(self) -> dict[str, Any]:
        return {}

    def numbers(self) -> tuple[int, int, int]:
        return 0, 0, 0

    def all_states(self) -> list[Any]:
        return []


def described() -> list[Described]:
    """Return every metric of ours, of all processes, by name; those of the client library are left out."""
    nothing = cast(Any, _Nothing())
    registries = [
        *registries_of("meter", "counter", "alerts", "sink", "portal", "collector"),
        Metrics(nothing).registry,
        health.registry,
        exposition.about,
    ]
    found = {each for registry in registries for each in _of(registry)}
    found |= {_described(metric, ()) for metric in Tenants(nothing).collect()}
    return sorted(found)


def _of(registry: CollectorRegistry) -> Iterable[Described]:
    for collector in list(cast(Any, registry)._collector_to_names):
        for metric in collector.collect():
            yield _described(metric, getattr(collector, "_labelnames", ()))


def _described(metric: Metric, labels: tuple[str, ...]) -> Described:
    own = tuple(getattr(metric, "_labelnames", labels))
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    return Described(name, metric.type, own, metric.documentation)
