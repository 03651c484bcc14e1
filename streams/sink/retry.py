"""Owns what the sink does about a failure: one table from error code or exception to action, and the pauses."""

import random
from collections.abc import Iterator
from typing import Literal

from clickhouse_connect.driver.exceptions import ClickHouseError

Action = Literal["retry", "bisect", "fatal"]

_BAD_ROW = {
    6: "CANNOT_PARSE_TEXT",
    25: "CANNOT_PARSE_ESCAPE_SEQUENCE",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    33: "CANNOT_READ_ALL_DATA",
    34: "TOO_MANY_ARGUMENTS_FOR_FUNCTION",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    43: "ILLEGAL_TYPE_OF_ARGUMENT",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    130: "CANNOT_READ_ARRAY_FROM_TEXT",
    131: "TOO_LARGE_STRING_SIZE",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    467: "CANNOT_PARSE_BOOL",
    469: "VIOLATED_CONSTRAINT",
    636: "CANNOT_EXTRACT_TABLE_STRUCTURE",
}
_WRONG_SET_UP = {
    16: "NO_SUCH_COLUMN_IN_TABLE",
    46: "UNKNOWN_FUNCTION",
    47: "UNKNOWN_IDENTIFIER",
    60: "UNKNOWN_TABLE",
    62: "SYNTAX_ERROR",
    81: "UNKNOWN_DATABASE",
    115: "UNKNOWN_SETTING",
    192: "UNKNOWN_USER",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
}

_ACTIONS: dict[int, Action] = {**dict.fromkeys(_BAD_ROW, "bisect"), **dict.fromkeys(_WRONG_SET_UP, "fatal")}

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 10.0


def classify(error: BaseException) -> Action:
    """Return what to do about a failed insert or statement.

    A row that ClickHouse cannot take: bisect. A set-up that waiting does not mend: fatal. Everything else that comes
    from ClickHouse or the network (away, overloaded, read-only, no space, unknown codes): retry, for nothing may be
    lost. What comes from elsewhere is a mistake of our own: fatal.
    """
    if isinstance(error, ClickHouseError):
        return _ACTIONS.get(getattr(error, "code", None) or 0, "retry")
    return "retry" if isinstance(error, OSError) else "fatal"


def pauses() -> Iterator[float]:
    """Yield the pauses before each next attempt, in seconds: doubling, capped, with jitter; without end."""
    pause = FIRST_PAUSE_S
    while True:
        yield pause * random.uniform(0.5, 1.0)  # spreads attempts; nothing depends on it
        pause = min(LONGEST_PAUSE_S, pause * 2)
