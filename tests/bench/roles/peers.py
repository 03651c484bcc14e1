"""What the peers do with an event: decode it as the meter does, and make the value that they keep."""

from typing import Any

from msgspec import json, msgpack

from schemas.times import to_ms
from schemas.topics import full_name
from schemas.wire import decode_known

_encode = msgpack.Encoder().encode
_encode_text = json.Encoder().encode
COMMIT_S = 0.5


def input_topics(arguments: dict[str, Any]) -> list[str]:
    """Return the full names of the two input topics."""
    return [full_name(arguments["source"], "user-changes"), full_name(arguments["source"], "assignments")]


def kept(raw: bytes) -> bytes:
    """Return the state of an event: facet, time, source and facts."""
    event: Any = decode_known(raw)
    return _encode((type(event).facet, to_ms(event.observed_at), event.source, event.facts))


def kept_text(raw: bytes) -> str:
    """Return the same as text, for a peer that keeps JSON values."""
    event: Any = decode_known(raw)
    return _encode_text((type(event).facet, to_ms(event.observed_at), event.source, event.facts)).decode()
