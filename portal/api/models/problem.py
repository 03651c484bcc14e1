"""Owns the model of a problem document (RFC 9457), as `portal.problems` makes it."""

from pydantic import ConfigDict, Field

from portal.api.models.base import Shown
from portal.api.models.events import RejectedEvent


class FieldError(Shown):
    """One mistake of a request."""

    at: str
    """Where: a parameter, or the place in the body, such as `factors.lifecycle`."""
    message: str


class Problem(Shown):
    """Why a request was refused."""

    # Members that only some problems have are absent in the others.
    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    type: str
    title: str
    status: int
    detail: str
    """What happened, to what, and what to do next."""
    instance: str
    """Path of the request."""
    errors: list[FieldError] = Field([])
    """Of a body or parameters that cannot be used: each mistake."""
    revision: int | None = None
    """Of a lost race (412): the revision there is now."""
    accepted: int = 0
    """Of refused events: none of them was accepted."""
    rejected: list[RejectedEvent] = Field([])
    """Of refused events: why each was refused."""
