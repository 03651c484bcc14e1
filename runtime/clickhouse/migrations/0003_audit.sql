-- Settings, alerts and sync runs as they were told.

-- Each revision of a tenant's (or `_provider`'s) settings. A purge leaves one row without settings: the floor below which
-- nothing of the tenant may be kept, also when it arrives late.
CREATE TABLE IF NOT EXISTS tenant_settings ${on_cluster}
(
    tenant String,
    at DateTime64(3, 'UTC'),
    revision UInt64,
    updated_by String,
    removed_at Nullable(DateTime64(3, 'UTC')),
    purged Bool,
    settings String CODEC(ZSTD(1)),
    CONSTRAINT whole CHECK tenant != ''
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (tenant, at, revision);

CREATE TABLE IF NOT EXISTS alerts ${on_cluster}
(
    tenant LowCardinality(String),
    recorded_at DateTime64(3, 'UTC'),
    alert String CODEC(ZSTD(1)),
    id UInt64 MATERIALIZED cityHash64(alert),
    CONSTRAINT whole CHECK tenant != ''
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYear(recorded_at)
ORDER BY (tenant, recorded_at, id)
TTL toDate(recorded_at) + toIntervalDay(1100)
SETTINGS ttl_only_drop_parts = 1;

-- The newest state of each sync run.
CREATE TABLE IF NOT EXISTS syncs ${on_cluster}
(
    tenant LowCardinality(String),
    started_at DateTime64(3, 'UTC'),
    facet LowCardinality(String),
    source String,
    id String,
    by String,
    sent_at DateTime64(3, 'UTC'),
    seen UInt64,
    expected Nullable(UInt64),
    status LowCardinality(String),
    CONSTRAINT whole CHECK tenant != '' AND id != ''
)
ENGINE = ${replicated}ReplacingMergeTree(sent_at)
PARTITION BY toYear(started_at)
ORDER BY (tenant, started_at, facet, source)
TTL toDate(started_at) + toIntervalDay(1100)
SETTINGS ttl_only_drop_parts = 1;
