-- Changes of subjects, what is known of them now, and the syncs that reached the meter.

-- Identity: the revisions of a subject count its changes without a gap, so a change that is told twice replaces itself.
CREATE TABLE IF NOT EXISTS seat_changes ${on_cluster}
(
    tenant LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    rev UInt64,
    id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    facet LowCardinality(String),
    facts String CODEC(ZSTD(1)),
    facts_hash String CODEC(ZSTD(1)),
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    old_profile Nullable(UInt8),
    new_profile UInt8,
    settings_revision UInt64,
    CONSTRAINT whole CHECK tenant != '' AND subject != '' AND rev > 0 AND id != ''
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(recorded_at)
ORDER BY (tenant, subject, rev)
TTL toDate(recorded_at) + toIntervalDay(1100)
SETTINGS ttl_only_drop_parts = 1;

-- The latest facts of each facet; empty facts = cleared or swept. No retention: it is the current list.
CREATE TABLE IF NOT EXISTS seat_facets ${on_cluster}
(
    tenant LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    facet LowCardinality(String),
    rev UInt64,
    kind LowCardinality(String),
    facts String CODEC(ZSTD(1)),
    facts_hash String CODEC(ZSTD(1)),
    source LowCardinality(String),
    observed_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    display_name String CODEC(ZSTD(1)),
    user_principal_name String CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(rev)
ORDER BY (tenant, subject, facet);

CREATE MATERIALIZED VIEW IF NOT EXISTS seat_facets_of_changes ${on_cluster} TO seat_facets AS
SELECT
    tenant, subject, facet, rev, kind, facts, facts_hash, source, observed_at, recorded_at,
    if(facet = 'directory', JSONExtractString(facts, 'display_name'), '') AS display_name,
    if(facet = 'directory', JSONExtractString(facts, 'user_principal_name'), '') AS user_principal_name
FROM seat_changes
WHERE facet != '';

-- The current profile of each subject, and its newest revision, which never restarts. Kind `removed`: not known any more.
CREATE TABLE IF NOT EXISTS subject_profiles ${on_cluster}
(
    tenant LowCardinality(String),
    subject String CODEC(ZSTD(1)),
    rev UInt64,
    kind LowCardinality(String),
    profile UInt8,
    observed_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree(rev)
ORDER BY (tenant, subject);

CREATE MATERIALIZED VIEW IF NOT EXISTS subject_profiles_of_changes ${on_cluster} TO subject_profiles AS
SELECT tenant, subject, rev, kind, new_profile AS profile, observed_at, recorded_at
FROM seat_changes;

-- The newest sync of each facet and source that has reached a partition of the meter.
CREATE TABLE IF NOT EXISTS sync_marks ${on_cluster}
(
    tenant LowCardinality(String),
    facet LowCardinality(String),
    source String,
    partition UInt32,
    started_at DateTime64(3, 'UTC'),
    recorded_at DateTime64(3, 'UTC'),
    CONSTRAINT whole CHECK tenant != '' AND facet != ''
)
ENGINE = ${replicated}ReplacingMergeTree(started_at)
ORDER BY (tenant, facet, source, partition);
