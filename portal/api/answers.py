"""Owns how a counter's answer to a command becomes an answer of the API."""

from typing import Any

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
