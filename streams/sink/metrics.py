"""Owns the metrics of the sink, in the default registry of its process.

In the embedded stack the portal's `/metrics` shows them. `run sink` alone serves no port: nobody can read them there.
"""

from prometheus_client import Counter, Gauge

STORED = Counter("poolwatch_sink_rows", "Rows stored in ClickHouse.", ["table"])
REJECTED = Counter("poolwatch_sink_rejected", "Records that became dead letters.", ["topic"])
LAG = Gauge("poolwatch_sink_lag_records", "Records that the sink has not stored yet.", ["topic"])
CLICKHOUSE_UP = Gauge("poolwatch_sink_clickhouse_up", "Whether the last attempt to write to ClickHouse succeeded.")
