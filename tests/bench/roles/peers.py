"""What the peers do with an event: decode it as the meter does, keep a value of it, and tell what changed, all as JSON
takes it. It is the job of the sketch that the bars were set beside (DESIGN §3), without a rule or a contract."""

from typing import Any

from msgspec import to_builtins

from schemas.times import to_ms
from schemas.topics import full_name
from schemas.wire import decode_known

COMMIT_S = 0.5


def input_topics(arguments: dict[str, Any]) -> list[str]:
    """Return the full names of the two input topics."""
    return [full_name(arguments["source"], "user-changes"), full_name(arguments["source"], "assignments")]


def kept(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return the facet of an event, and the state that is kept of it: time, source and facts. The framework's own codec
    encodes it."""
    event: Any = decode_known(raw)
    state = {"observed_ms": to_ms(event.observed_at), "source": event.source, "facts": to_builtins(event.facts)}
    return type(event).facet, state


def change_of(facet: str, before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any] | None:
    """Return the change record of an event, None where its facts are those that were kept. `before`: empty or None
    where nothing was."""
    return None if before and before["facts"] == now["facts"] else {"facet": facet, **now}


def changes_topic(arguments: dict[str, Any]) -> str:
    """Return the name of the topic that change records are written to."""
    return f"{arguments['group']}-changes"
