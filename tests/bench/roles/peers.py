"""What the peers do with an event: decode it as the meter does, and make the value that they keep, as JSON takes it."""

from typing import Any

from msgspec import to_builtins

from schemas.times import to_ms
from schemas.topics import full_name
from schemas.wire import decode_known

COMMIT_S = 0.5


def input_topics(arguments: dict[str, Any]) -> list[str]:
    """Return the full names of the two input topics."""
    return [full_name(arguments["source"], "user-changes"), full_name(arguments["source"], "assignments")]


def kept(raw: bytes) -> dict[str, Any]:
    """Return the state of an event: facet, time, source and facts. The framework's own codec encodes it."""
    event: Any = decode_known(raw)
    return {
        "facet": type(event).facet,
        "observed_ms": to_ms(event.observed_at),
        "source": event.source,
        "facts": to_builtins(event.facts),
    }
