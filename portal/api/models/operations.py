"""Owns the models of health and readiness."""

from typing import Literal

from portal.api.models.base import Shown


class Health(Shown):
    """The process answers."""

    status: Literal["ok"]


class ReadyParts(Shown):
    """What readiness consists of."""

    counts: bool
    """Counts and settings have been read from Kafka."""
    history: bool
    """ClickHouse answers."""


class Readiness(Shown):
    """Whether the portal can answer, and where the broker is for `poolwatch import`."""

    ready: bool
    parts: ReadyParts
    version: str
    embedded: bool
    kafka_bootstrap: str
    topic_prefix: str
    partitions: int
