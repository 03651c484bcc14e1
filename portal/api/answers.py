"""Owns how a counter's answer to a command becomes an answer of the API, and answers that a client may have already."""

from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import BaseModel

from portal.problems import Problem
from schemas.commands import Answer


def done(answer: Answer) -> dict[str, Any]:
    """Return the settings of a change that was carried out. Raises Problem 412 or 422 for one that was not."""
    if answer.status == "conflict":
        raise Problem(
            412,
            f"the settings of {answer.tenant} are at revision {answer.revision} by now:"
            f" {answer.detail or 'somebody was first'}; apply the change to what GET gives, and send it with its ETag",
            revision=answer.revision,
        )
    if answer.status == "invalid":
        raise Problem(422, answer.detail or f"the settings of {answer.tenant} were refused")
    return answer.settings or {}


IfNoneMatch = Annotated[
    str | None, Header(description="ETags that the client has; 304 without a body if it is still one of them")
]


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It is what If-None-Match names."}}
"""The part of OpenAPI that describes what a client is told that has it already."""


def tagged(meaning: str) -> dict[int | str, dict[str, Any]]:
    """Return the part of OpenAPI that describes an ETag."""
    return {200: {"headers": {"ETag": {"description": meaning, "schema": {"type": "string"}}}}}


def unless_known(model: BaseModel, tag: str, if_none_match: str | None) -> Response:
    """Return the model with its ETag; only 304 to a client that has it already (RFC 9110: weak or strong, or `*`)."""
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(model.model_dump_json(), media_type="application/json", headers={"ETag": tag})


def etag(revision: int) -> str:
    """Return the entity tag of a revision of settings."""
    return f'"{revision}"'


def expected_revision(if_match: str | None) -> int | None:
    """Return the revision that If-Match names; None without one, or for `*`. Raises Problem 422 for anything else."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdigit():
        raise Problem(422, f"If-Match: one ETag that GET gave, such as {etag(17)}, not {if_match[:60]!r}")
    return int(text)
