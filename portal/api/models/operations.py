"""Owns the models of health and readiness."""

from typing import Literal

from pydantic import ConfigDict

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
    """Whether the portal can answer. The provider's people are told the rest too, by which `poolwatch import` finds the
    broker."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    ready: bool
    parts: ReadyParts
    version: str = ""
    embedded: bool = False
    kafka_bootstrap: str = ""
    topic_prefix: str = ""
    partitions: int = 0
