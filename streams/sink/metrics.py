"""Owns the metrics of the sink."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()
STORED = Counter("poolwatch_sink_rows", "Rows stored in ClickHouse.", ["table"], registry=registry)
INSERT_S = Histogram(
    "poolwatch_sink_insert_seconds", "Time that an insert or a statement takes, waits for ClickHouse included.",
    ["what"], buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600), registry=registry,
)  # fmt: skip
RETRIES = Counter(
    "poolwatch_sink_retries", "Inserts and statements that failed and were tried again.", ["what"], registry=registry
)
DEAD_LETTERS = Counter(
    "poolwatch_dead_letters", "Records and events that were refused.", ["role", "reason"], registry=registry
)
for _reason in ("invalid", "not_json", "not_storable"):
    DEAD_LETTERS.labels("sink", _reason)  # 0 is told too: a rate needs a beginning
LAG = Gauge("poolwatch_sink_lag_records", "Records that are not stored yet.", ["topic"], registry=registry)
LAG_S = Gauge("poolwatch_sink_lag_seconds", "Age of the oldest record that is not stored yet.", registry=registry)
PARTITIONS = Gauge("poolwatch_sink_partitions", "Partitions assigned to this sink.", registry=registry)
CLICKHOUSE_UP = Gauge(
    "poolwatch_sink_clickhouse_up", "Whether the last attempt to write to ClickHouse succeeded.", registry=registry
)


class Oldest:
    """The oldest record in hand. Its age grows while ClickHouse is away, and nobody would set a gauge then."""

    timestamp_ms: int | None = None

    @property
    def age_s(self) -> float:
        """Its age; 0 with nothing in hand."""
        at = self.timestamp_ms
        return 0.0 if at is None else max(0.0, time.time() - at / 1_000)


OLDEST = Oldest()
LAG_S.set_function(lambda: OLDEST.age_s)
