"""Owns the metrics of the Graph collector; no label names a tenant."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Gauge, Histogram, Metric
from prometheus_client import Counter as Counted
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from schemas.sources import SourceState

registry = CollectorRegistry()
REQUESTS = Counted(
    "poolwatch_graph_requests", "Attempts at requests to Microsoft Graph, by what came of them.", ["outcome"],
    registry=registry,
)  # fmt: skip
REQUEST_S = Histogram(
    "poolwatch_graph_request_seconds", "Time that an attempt takes, the wait for a slot included.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60), registry=registry,
)  # fmt: skip
ERRANDS = Counted(
    "poolwatch_graph_errands", "Errands to tenants, by what they came to.", ["errand", "outcome"], registry=registry
)
ERRAND_S = Histogram(
    "poolwatch_graph_errand_seconds", "Time that an errand to a tenant takes.", ["errand"],
    buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 1_800), registry=registry,
)  # fmt: skip
NEXT = Gauge(
    "poolwatch_graph_next_errand_timestamp_seconds", "When the next errand is due; 0 where none is.", registry=registry
)
CREDENTIAL_ENDS = Gauge(
    "poolwatch_graph_certificate_expires_timestamp_seconds",
    "When the certificate ends that the application signs in with; 0 where it uses none.", registry=registry,
)  # fmt: skip
for _outcome in ("ok", "retry_after", "back_off"):
    REQUESTS.labels(_outcome)  # 0 is told too: a rate needs a beginning
for _errand in ("full", "delta"):
    ERRAND_S.labels(_errand)
    for _outcome in ("ok", "again", "failed", "broke"):
        ERRANDS.labels(_errand, _outcome)


class Collected(Protocol):
    """The tenants of a collector."""

    def numbers(self) -> tuple[int, int, int]:
        """Return how many there are, how many errands are under way, and for how many tenants the last one failed."""

    def all_states(self) -> Iterable[SourceState]:
        """Yield the states of all parts."""


class Tenants(Collector):
    """The tenants of one collector, looked up when somebody asks."""

    def __init__(self, collected: Collected) -> None:
        self._collected = collected

    def collect(self) -> Iterable[Metric]:
        """Yield how many tenants there are, and how their parts are doing."""
        tenants, running, ailing = self._collected.numbers()
        yield GaugeMetricFamily("poolwatch_graph_tenants", "Tenants that this collector reads.", tenants)
        yield GaugeMetricFamily("poolwatch_graph_tenants_ailing", "Those whose last errand failed.", ailing)
        yield GaugeMetricFamily("poolwatch_graph_errands_running", "Errands that are under way.", running)
        parts = GaugeMetricFamily(
            "poolwatch_graph_parts", "Parts of tenants, by how their reading went.", labels=["part", "state"]
        )
        for place, number in sorted(Counter((s.part, s.state) for s in self._collected.all_states()).items()):
            parts.add_metric(place, number)
        yield parts
