"""Owns what the partitions of this process hold, as numbers without a tenant's name, looked up when somebody asks."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Holdings = Mapping[tuple[str, ...], float]
"""By the name of a metric, followed by the values of its labels."""

GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "poolwatch_meter_subjects": ("Subjects in the state of meters.", ()),
    "poolwatch_meter_tenants": ("Tenants in the state of meters, counted in each partition that has some.", ()),
    "poolwatch_meter_tenants_following": ("Those whose subjects have yet to follow changed rules.", ()),
    "poolwatch_tenants": ("Tenants with a count, by how much of the pool is used.", ("usage",)),
    "poolwatch_tenants_stale": ("Tenants whose count a source has not confirmed for too long.", ()),
    "poolwatch_tenants_hinted": ("Tenants whose count carries a hint.", ("hint",)),
    "poolwatch_licenses_counted": ("Licences in use, of all tenants.", ()),
    "poolwatch_licenses_acquired": ("Licences in the pools of all tenants.", ()),
    "poolwatch_syncs_held": ("Syncs that wait for somebody to confirm them.", ()),
    "poolwatch_alerts_open": ("Open alerts.", ("rule", "level")),
    "poolwatch_notifications_waiting": ("Messages that a channel has not taken yet.", ("channel",)),
}


class Holder(Protocol):
    """What works on one partition."""

    def holdings(self) -> Holdings: ...


class Holders(Protocol):
    """What works on the partitions of a role."""

    def workers(self) -> Iterable[Holder]: ...


_holders: dict[str, Holders] = {}


def watch(role: str, holders: Holders) -> None:
    """Show from now on what the partitions of a role hold."""
    _holders[role] = holders


class _Held(Collector):
    def collect(self) -> Iterable[Metric]:
        total: Counter[tuple[str, ...]] = Counter()
        for holders in list(_holders.values()):
            for worker in holders.workers():
                for place, value in worker.holdings().items():
                    total[place] += value  # type: ignore[assignment]  # licences and tenants are whole
        for name, (meaning, labels) in GAUGES.items():
            family = GaugeMetricFamily(name, meaning, labels=labels)
            for (own, *values), value in total.items():
                if own == name:
                    family.add_metric(values, value)
            yield family


registry = CollectorRegistry()
registry.register(_Held())
