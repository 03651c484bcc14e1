"""Owns cursor pagination: `{"items": […], "next_cursor": …}` with cursors that only their endpoint reads."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Query

from portal.problems import Problem

Limit = Annotated[int, Query(ge=1, le=1_000, description="items a page")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="next_cursor of the page before")]

Revision = Annotated[int, msgspec.Meta(ge=0)]
"""For the parts of a cursor: a number that only counts up, as ClickHouse holds it."""

T = TypeVar("T")


def encode_cursor(*parts: Any) -> str:
    """Return an opaque text for the place after an item."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).decode().rstrip("=")


def decode_cursor(cursor: str | None, kind: type[T]) -> T | None:
    """Return the parts of a cursor as `kind` (a tuple type), None without one. Raises Problem 422 for a foreign one."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, msgspec.MsgspecError, ValueError) as error:
        raise Problem(
            422, "cursor: not one that this list gave; begin again without it, with the same search and sort"
        ) from error


def page(
    items: Sequence[Any], limit: int, cursor_of: Callable[[Any], str], shown: Callable[[Any], Any]
) -> dict[str, Any]:
    """Return a page from up to `limit + 1` items: the extra one only says that there is more."""
    here = items[:limit]
    return {
        "items": [shown(item) for item in here],
        "next_cursor": cursor_of(here[-1]) if len(items) > limit else None,
    }
