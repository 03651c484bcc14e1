"""Owns the registry of topics: names, keys, what they carry and how the broker keeps them."""

from dataclasses import dataclass
from typing import Literal

TopicName = Literal[
    "user-changes",
    "assignments",
    "tenants",
    "commands",
    "seat-changes",
    "tallies",
    "license-counts",
    "sources",
    "alerts",
    "alert-state",
    "dead-letters",
    "meter-state-changelog",
]

_COMPACTED = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.1",
    # A zombie's write must stay readable until the owner has written its keys again (docs/delivery.md).
    "min.compaction.lag.ms": str(3_600_000),
    # The lag is reckoned from a record's timestamp, and a zombie's own may be an hour old when it is written.
    "message.timestamp.type": "LogAppendTime",
}
_KEPT_7_DAYS = {"cleanup.policy": "delete", "retention.ms": str(7 * 86_400_000)}


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: its short name (the prefix is a setting), key, content, and broker settings by Kafka's own names."""

    name: TopicName
    key: str
    carries: str
    config: dict[str, str]


TOPICS: dict[TopicName, Topic] = {
    topic.name: topic
    for topic in (
        Topic("user-changes", "tenant/subject", "events of the facets directory and interface", _KEPT_7_DAYS),
        Topic("assignments", "tenant/subject", "events of the other facets", _KEPT_7_DAYS),
        Topic("tenants", "tenant", "settings of tenants and provider", _COMPACTED),
        Topic("commands", "tenant", "settings changes, refresh requests, sync confirmations, answers", _KEPT_7_DAYS),
        Topic("seat-changes", "tenant/subject", "every change of a subject, every finished sync", _KEPT_7_DAYS),
        Topic("tallies", "tenant/partition, placed by tenant", "partial counts of source partitions", _COMPACTED),
        Topic("license-counts", "tenant", "the current count of a tenant", _COMPACTED),
        Topic(
            "sources", "tenant/source/part", "how the last reading of a source went, where the next begins", _COMPACTED
        ),
        Topic("alerts", "tenant", "changes of alerts, and what became of their telling", _KEPT_7_DAYS),
        Topic("alert-state", "tenant", "a tenant's open alerts, and what is yet to be told of them", _COMPACTED),
        Topic(
            "dead-letters", "as read", "original bytes of refused events, reason and origin in headers", _KEPT_7_DAYS
        ),
        Topic("meter-state-changelog", "tenant/subject or tenant", "the meter's state, by subject", _COMPACTED),
    )
}
"""All have the same number of partitions, fixed for life: whoever owns a partition owns it in each topic."""


def full_name(prefix: str, name: TopicName) -> str:
    """Return the name of a topic on the broker, `poolwatch.user-changes`."""
    return f"{prefix}{name}"
