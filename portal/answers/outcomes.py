"""Owns what a counter's answer to a command says to whoever sent it."""

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
