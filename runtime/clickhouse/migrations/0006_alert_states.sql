-- What the alert process keeps of each tenant: its open alerts, and whom they are yet to be told. As the topic alert-state
-- has it; a start on an empty broker puts it back there, so that nobody is told anything twice.

-- Of a tenant's states the one of the highest (epoch, seq) is the newest, in whatever order they were written.
CREATE TABLE IF NOT EXISTS alert_states ${on_cluster}
(
    tenant String,
    epoch UInt64,
    seq UInt64,
    place UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(epoch), 64), toUInt128(seq)),
    recorded_at DateTime64(3, 'UTC'),
    state String CODEC(ZSTD(1)),
    CONSTRAINT whole CHECK tenant != '' AND state != ''
)
ENGINE = ${replicated}ReplacingMergeTree(place)
ORDER BY tenant;
