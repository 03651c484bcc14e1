-- Counts. ${replicated} and ${on_cluster} are filled by runtime.clickhouse.migrations; every statement may run twice.

-- A row a second and tenant: figures of the last count in that second, min and max over all of them.
-- `previous` is what was in force before the row: a bucket knows what was carried into it without looking outside of itself.
CREATE TABLE IF NOT EXISTS license_counts ${on_cluster}
(
    tenant LowCardinality(String),
    at DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    epoch UInt64,
    version UInt64,
    settings_revision UInt64,
    as_of Nullable(DateTime64(3, 'UTC')),
    computed_at DateTime64(3, 'UTC'),
    stale Bool,
    acquired_licenses Nullable(UInt32),
    currently_licensed UInt32,
    min UInt32,
    max UInt32,
    previous Nullable(UInt32),
    user_licenses UInt32,
    dr_phone_licenses UInt32,
    enabled UInt8,
    direct_routing_counted UInt32,
    direct_routing_matched UInt32,
    operator_connect_counted UInt32,
    operator_connect_matched UInt32,
    lifecycle_counted UInt32,
    lifecycle_matched UInt32,
    user_interface_counted UInt32,
    user_interface_matched UInt32,
    service_number_counted UInt32,
    service_number_matched UInt32,
    profiles Map(UInt8, UInt32) CODEC(ZSTD(1)),
    cause LowCardinality(String),
    subjects_gained UInt32,
    subjects_lost UInt32,
    demo Bool,
    inserted_at DateTime('UTC') DEFAULT now() CODEC(Delta, ZSTD(1)),
    INDEX by_insert inserted_at TYPE minmax GRANULARITY 1,
    CONSTRAINT whole CHECK tenant != '' AND version > 0
)
ENGINE = ${replicated}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, at)
TTL toDate(at) + toIntervalDay(90)
SETTINGS ttl_only_drop_parts = 1;

-- The newest row of each tenant, and the published count it came from: what a restarted sink, portal or counter goes on from.
CREATE TABLE IF NOT EXISTS latest_counts ${on_cluster}
(
    tenant String,
    at DateTime('UTC'),
    epoch UInt64,
    version UInt64,
    settings_revision UInt64,
    as_of Nullable(DateTime64(3, 'UTC')),
    computed_at DateTime64(3, 'UTC'),
    stale Bool,
    acquired_licenses Nullable(UInt32),
    currently_licensed UInt32,
    min UInt32,
    max UInt32,
    previous Nullable(UInt32),
    user_licenses UInt32,
    dr_phone_licenses UInt32,
    enabled UInt8,
    direct_routing_counted UInt32,
    direct_routing_matched UInt32,
    operator_connect_counted UInt32,
    operator_connect_matched UInt32,
    lifecycle_counted UInt32,
    lifecycle_matched UInt32,
    user_interface_counted UInt32,
    user_interface_matched UInt32,
    service_number_counted UInt32,
    service_number_matched UInt32,
    profiles Map(UInt8, UInt32),
    cause String,
    subjects_gained UInt32,
    subjects_lost UInt32,
    demo Bool,
    count String CODEC(ZSTD(1)),
    CONSTRAINT whole CHECK tenant != '' AND version > 0
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY tenant;

-- Closed buckets, recomputed from license_counts and replaced whole (streams.sink.rollup).
-- `first_at`: from when on the bucket is covered (its start, but for a tenant's first).
CREATE TABLE IF NOT EXISTS license_counts_hourly ${on_cluster}
(
    tenant LowCardinality(String),
    at DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    first_at DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    min UInt32,
    max UInt32,
    avg Float64 CODEC(ZSTD(1)),
    currently_licensed UInt32,
    acquired_licenses Nullable(UInt32),
    user_licenses UInt32,
    dr_phone_licenses UInt32,
    enabled UInt8,
    direct_routing_counted UInt32,
    direct_routing_matched UInt32,
    operator_connect_counted UInt32,
    operator_connect_matched UInt32,
    lifecycle_counted UInt32,
    lifecycle_matched UInt32,
    user_interface_counted UInt32,
    user_interface_matched UInt32,
    service_number_counted UInt32,
    service_number_matched UInt32,
    demo Bool,
    rolled_at DateTime64(3, 'UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(rolled_at)
PARTITION BY toYear(at)
ORDER BY (tenant, at)
TTL toDate(at) + toIntervalDay(1100)
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS license_counts_daily ${on_cluster} AS license_counts_hourly
ENGINE = ${replicated}ReplacingMergeTree(rolled_at)
PARTITION BY toYear(at)
ORDER BY (tenant, at)
TTL toDate(at) + toIntervalDay(3650)
SETTINGS ttl_only_drop_parts = 1;

-- Up to where each of the two has been computed: `closed` is the end of its last closed bucket, `through` the insertion time.
CREATE TABLE IF NOT EXISTS rollup_progress ${on_cluster}
(
    name String,
    through DateTime('UTC'),
    closed DateTime('UTC')
)
ENGINE = ${replicated}ReplacingMergeTree(through)
ORDER BY name;
