"""Owns how often the broker had to be asked again."""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter

registry = CollectorRegistry()
RETRIES = Counter(
    "poolwatch_broker_retries", "Operations on the broker that failed and were tried again.", ["operation"],
    registry=registry,
)  # fmt: skip

Operation = Literal["enqueue", "write", "ask"]
for _operation in ("enqueue", "write", "ask"):
    RETRIES.labels(_operation)  # 0 is told too: a rate needs a beginning


def tried_again(operation: Operation) -> None:
    """Take note that an operation has failed and is tried again."""
    RETRIES.labels(operation).inc()
