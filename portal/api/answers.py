"""Owns the tags of revisions and counts, and answers that a client may have already."""

from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import BaseModel

from portal.problems import Problem

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
