"""Owns instants: RFC 3339 on the wire, aware UTC datetimes in models, whole milliseconds since 1970 inside."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

FIRST_MS = (datetime.min.replace(tzinfo=UTC) - EPOCH) // _MILLISECOND
LAST_MS = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MILLISECOND
"""The first and the last instant that a datetime can hold. An offset can lie beyond: 0001-01-01T00:00:00+10:00."""

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
"""For msgspec: an RFC 3339 time with an offset. A naive time is refused."""


def to_ms(instant: datetime) -> int:
    """Return whole milliseconds since 1970, cut and not rounded (the contract compares instants cut so)."""
    return (instant - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Return the aware UTC datetime of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=ms)


_MILLISECONDS = [f".{rest:03d}Z" for rest in range(1_000)]


@lru_cache(maxsize=16_384)
def _format_second(second: int) -> str:
    return from_ms(second * 1_000).isoformat()[:19]


def format_ms(ms: int) -> str:
    """Return milliseconds since 1970 as RFC 3339 UTC with milliseconds, `2026-11-24T10:00:00.123Z`."""
    return _format_second(ms // 1_000) + _MILLISECONDS[ms % 1_000]


def format_time(instant: datetime) -> str:
    """Return an aware datetime as RFC 3339 UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the aware UTC datetime of an RFC 3339 text, cut to milliseconds. Raises ValueError for anything else.

    Digits beyond microseconds are rounded to microseconds before the cut, here as in the decoder of the hot path.
    """
    try:
        return from_ms(to_ms(msgspec.convert(text, AwareTime)))
    except (msgspec.ValidationError, OverflowError) as error:
        raise ValueError(
            f"a time is RFC 3339 with an offset, such as 2026-11-24T10:00:00.123Z, not {str(text)[:60]!r}"
        ) from error


def _validate(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs an offset; a naive time is refused")
        return parse_time(value.isoformat())
    if not isinstance(value, str):
        raise ValueError(f"a time is an RFC 3339 text, not {type(value).__name__}")
    return parse_time(value)


Instant = Annotated[
    datetime,
    BeforeValidator(_validate),
    PlainSerializer(format_time, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""For pydantic: an RFC 3339 time in, milliseconds and `Z` out."""
