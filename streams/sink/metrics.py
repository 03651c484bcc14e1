"""Owns the metrics of the sink."""

from prometheus_client import CollectorRegistry, Counter, Gauge

registry = CollectorRegistry()
STORED = Counter("poolwatch_sink_rows", "Rows stored in ClickHouse.", ["table"], registry=registry)
REJECTED = Counter("poolwatch_sink_rejected", "Records that became dead letters.", ["topic"], registry=registry)
LAG = Gauge("poolwatch_sink_lag_records", "Records that the sink has not stored yet.", ["topic"], registry=registry)
CLICKHOUSE_UP = Gauge(
    "poolwatch_sink_clickhouse_up", "Whether the last attempt to write to ClickHouse succeeded.", registry=registry
)
