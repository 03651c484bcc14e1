"""Owns what a page of settings makes of its controls: what differs, as a body of PATCH, and whose mistake is whose.
Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from portal.problems import Problem
from schemas.settings import Criteria


def value_at(settings: Mapping[str, Any], path: str) -> Any:
    """Return the value at a place, None where something on the way is null."""
    found: Any = settings
    for part in path.split("."):
        found = found.get(part) if found is not None else None
    return found


def patch_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by place as a body that merges (RFC 7396)."""
    body: dict[str, Any] = {}
    for path, value in changes.items():
        *parents, last = path.split(".")
        inner = body
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return body


def mistakes(problem: Problem) -> dict[str, str]:
    """Return what a refusal says, by place; under the empty place what it says of none."""
    errors: Iterable[Mapping[str, str]] = problem.extra.get("errors", ())
    found = {error["at"]: error["message"] for error in errors}
    return found or {_criterion_of(problem.detail): problem.detail.removeprefix("criteria: ")}


def _criterion_of(detail: str) -> str:
    # What RE2 refuses is told with the name of the pattern alone.
    names = (name for name in Criteria.model_fields if f"the pattern {name} " in detail)
    return next((f"criteria.{name}" for name in names), "")
