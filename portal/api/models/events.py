"""Owns the models of what becomes of events sent by HTTP."""

from pydantic import ConfigDict, Field

from portal.api.models.base import Shown
from schemas.intake import Reason


class RejectedEvent(Shown):
    """An event that was refused."""

    index: int = Field(ge=0)
    """Its place in the array; 0 for a single event."""
    reason: str
    """A sentence for people."""
    kind: Reason


class Receipt(Shown):
    """What became of the events of a request. What was accepted is kept: Kafka, or the disk, has confirmed it."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    accepted: int = Field(ge=0)
    rejected: list[RejectedEvent]
    unknown_facts: int = Field(1, ge=1)
    """Facts that no schema names and that were left out; absent where there are none."""
