"""Owns how far meters and counters are: each partition's offset and lag, looked up when somebody asks, so that it
costs them nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from schemas.topics import TopicName


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a partition of an input topic is."""

    topic: TopicName
    partition: int
    offset: int
    lag: int
    lag_s: float
    queued_bytes: int


def lag_s(lag: int, oldest_ms: int | None, idle_s: float, now_s: float) -> float:
    """Return for how long the oldest of `lag` records has waited. One that is not fetched yet (None) says nothing of
    its age; it has waited for as long as nothing was fetched, at most."""
    if not lag:
        return 0.0
    return max(0.0, idle_s if oldest_ms is None else now_s - oldest_ms / 1_000)


class Owned(Protocol):
    """The partitions that a role of this process owns."""

    @property
    def ready(self) -> bool:
        """Whether they have been assigned, and all of them have recovered."""

    def standings(self) -> Sequence[Standing]: ...

    def numbers(self) -> tuple[int, int]:
        """Return how many partitions are owned, and how many of them have recovered."""


_owned: dict[str, Owned] = {}


def watch(role: str, owned: Owned) -> None:
    """Show the partitions of a role from now on."""
    _owned[role] = owned


def is_ready(role: str) -> bool:
    """Tell whether a role has all partitions that it was assigned."""
    return role in _owned and _owned[role].ready


class _Partitions(Collector):
    def collect(self) -> Iterable[Metric]:
        labels = ["role", "topic", "partition"]
        offset = GaugeMetricFamily("poolwatch_partition_offset", "The next record to be processed.", labels=labels)
        lag = GaugeMetricFamily("poolwatch_partition_lag_records", "Records that are not processed.", labels=labels)
        age = GaugeMetricFamily(
            "poolwatch_partition_lag_seconds", "Age of the oldest record that is not processed.", labels=labels
        )
        queued = GaugeMetricFamily("poolwatch_partition_queued_bytes", "Fetched and not processed.", labels=labels)
        owned = GaugeMetricFamily("poolwatch_partitions_owned", "Partitions assigned to this process.", labels=["role"])
        ready = GaugeMetricFamily("poolwatch_partitions_ready", "Those of them that have recovered.", labels=["role"])
        for role, partitions in list(_owned.items()):
            all_, recovered = partitions.numbers()
            owned.add_metric([role], all_)
            ready.add_metric([role], recovered)
            for standing in partitions.standings():
                place = [role, standing.topic, str(standing.partition)]
                offset.add_metric(place, standing.offset)
                lag.add_metric(place, standing.lag)
                age.add_metric(place, standing.lag_s)
                queued.add_metric(place, standing.queued_bytes)
        return offset, lag, age, queued, owned, ready


registry = CollectorRegistry()
registry.register(_Partitions())
