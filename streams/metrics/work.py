"""Owns what meters, counters and alert processes do, as figures. All is counted by the batch and by the effect: what an
event costs is what a meter can do."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram

from schemas.intake import Reason
from schemas.topics import TopicName

registry = CollectorRegistry()
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

RECORDS = Counter("poolwatch_records_read", "Records read of input topics.", ["role", "topic"], registry=registry)
EVENTS = Counter(
    "poolwatch_meter_events", "Events read, but for those that could not be decoded.", ["topic"], registry=registry
)
BATCH_S = Histogram(
    "poolwatch_batch_seconds", "Time that a fetched batch takes.", ["role", "topic"],
    buckets=_LATENCIES, registry=registry,
)  # fmt: skip
SLICE_S = Histogram(
    "poolwatch_slice_seconds", "Time until others have their turn, writes included.", ["role"],
    buckets=_LATENCIES, registry=registry,
)  # fmt: skip
WRITTEN = Counter(
    "poolwatch_records_written", "Records that the broker has taken, by step of the delivery contract.",
    ["role", "step"], registry=registry,
)  # fmt: skip
STEP_S = Histogram(
    "poolwatch_step_seconds", "Time that a step of the delivery contract takes, with the broker's word on it.",
    ["role", "step"], buckets=_LATENCIES, registry=registry,
)  # fmt: skip
DEAD_LETTERS = Counter(
    "poolwatch_dead_letters", "Records and events that were refused.", ["role", "reason"], registry=registry
)
RECOVERY_S = Histogram(
    "poolwatch_recovery_seconds", "Time from the assignment of a partition until it is worked on.", ["role"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300), registry=registry,
)  # fmt: skip
LOST = Counter(
    "poolwatch_records_lost", "Records that the broker deleted before they were read.", ["role", "topic"],
    registry=registry,
)  # fmt: skip
VANISHED = Counter(
    "poolwatch_batches_vanished", "Fetched batches that did not arrive, and were asked for again.", ["role", "topic"],
    registry=registry,
)  # fmt: skip


def begin(role: str, topics: Iterable[TopicName]) -> None:
    """Tell 0 of what has not happened yet: a rate needs a beginning, and an alert on the first time none without."""
    for reason in (*get_args(Reason), "not_delivered"):
        DEAD_LETTERS.labels(role, reason)
    for topic in topics:
        LOST.labels(role, topic)
        VANISHED.labels(role, topic)
