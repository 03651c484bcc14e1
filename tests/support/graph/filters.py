"""Owns the part of OData's `$filter` that the fake understands: comparisons for equality, joined by `and`."""

import re
from collections.abc import Iterable
from typing import Any

from tests.support.graph.answers import bad_request

_EQUAL = re.compile(r"(\w+) eq (?:'((?:[^']|'')*)'|(true|false|null))")
_WORDS = {"true": True, "false": False, "null": None}


def keep(rows: Iterable[dict[str, Any]], condition: str) -> list[dict[str, Any]]:
    """Return the rows that fulfil a condition, all without one; 400 for what is not understood."""
    wanted = dict(_equality(part) for part in condition.split(" and ")) if condition else {}
    return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]


def _equality(part: str) -> tuple[str, str | bool | None]:
    match = _EQUAL.fullmatch(part.strip())
    if not match:
        raise bad_request("The filter is not supported.", "Request_UnsupportedQuery")
    return match[1], _WORDS[match[3]] if match[3] else match[2].replace("''", "'")
