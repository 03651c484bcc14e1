-- API tokens, and when each was used last. They are the only rows that the portal writes.

-- Of the secret only its SHA-256 is kept. A revocation is a second row that wins for good: nothing makes a token whole again.
CREATE TABLE IF NOT EXISTS api_tokens ${on_cluster}
(
    id String,
    digest String,
    name String,
    role LowCardinality(String),
    tenants Array(String),
    created_at DateTime64(3, 'UTC'),
    created_by String,
    expires_at DateTime64(3, 'UTC'),
    revoked UInt8,
    revoked_at Nullable(DateTime64(3, 'UTC')),
    revoked_by String,
    CONSTRAINT whole CHECK id != '' AND length(digest) = 64 AND role != ''
)
ENGINE = ${replicated}ReplacingMergeTree(revoked)
ORDER BY id
TTL toDate(expires_at) + toIntervalDay(90);

CREATE TABLE IF NOT EXISTS api_token_uses ${on_cluster}
(
    id String,
    day Date
)
ENGINE = ${replicated}ReplacingMergeTree(day)
ORDER BY id
TTL day + toIntervalDay(1100);
