"""Owns what an answer of the fake is before it is bytes, and the shape of Microsoft's errors."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body (JSON, or None) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A request that is answered by an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}")
        self.answer = answer


def failure(
    status: int,
    code: str,
    message: str,
    *,
    headers: Mapping[str, str] | None = None,
    inner: Mapping[str, Any] | None = None,
) -> Answer:
    """Return an error of Graph; its date has no zone, as there."""
    request_id = str(uuid.uuid4())
    inner_error = dict(inner or {}) | {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": request_id,
        "client-request-id": request_id,
    }
    return Answer(status, {"error": {"code": code, "message": message, "innerError": inner_error}}, dict(headers or {}))


def bad_request(message: str, code: str = "BadRequest") -> RefusedError:
    """Return a 400 to be raised."""
    return RefusedError(failure(400, code, message))


def not_found(object_id: str) -> RefusedError:
    """Return a 404 to be raised."""
    return RefusedError(
        failure(
            404,
            "Request_ResourceNotFound",
            f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
        )
    )
