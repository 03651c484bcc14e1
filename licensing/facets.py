"""Owns what the state keeps of a facet, and which observation of it wins (LICENSE-FACTORS §5).

The state keeps what the rules need, not the facts: the rank of the newest observation, a few flags, one text.
"""

from hashlib import sha256
from typing import Any

import msgspec

from schemas.events import FACTS
from schemas.times import format_time, parse_time, to_ms
from schemas.wire import FACTS_OF, WireObservation, canonical_json

FACETS = tuple(FACTS)
NUMBER_OF = {facet: number for number, facet in enumerate(FACETS)}
DIRECTORY, INTERFACE, SUBSCRIPTION, VOICE, PHONE_NUMBER, LIFECYCLE, DIAL_PLAN, SERVICE_NUMBER = range(len(FACETS))

LIVE = 1
"""The facet has facts. Without it: it was observed, and is cleared or swept."""
DELETED = 2
LICENSED, TEAMS_PHONE = 2, 4
VOICE_ON, VOICE_OFF = 2, 4
"""Of enterprise voice; neither = unknown."""
IS_DIRECT_ROUTING, IS_OPERATOR_CONNECT = 2, 4
GROUPED = 2
HELD = 2

RANK_BYTES = 16


class Facet(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The newest observation of one facet of a subject.

    `rank` is the first 16 bytes of the SHA-256 of the canonical facts, empty for a clear; an observation that a sync
    outdated keeps its rank and loses its flags, so that the result does not depend on the order of arrival.
    `text`: gateway or dial-plan tag.
    """

    number: int
    observed_ms: int
    rank: bytes
    source: str
    flags: int
    text: str = ""

    def beats(self, other: "Facet") -> bool:
        """Tell whether this observation is newer: by instant, then facts before a clear, then hash, then source."""
        if self.observed_ms != other.observed_ms:
            return self.observed_ms > other.observed_ms
        return (self.rank, self.source) > (other.rank, other.source)

    def outdated(self) -> "Facet":
        """Return what is left of it once a sync of its source has outdated it."""
        return Facet(self.number, self.observed_ms, self.rank, self.source, 0)

    def same_facts(self, other: "Facet") -> bool:
        """Tell whether nothing that is told of a facet differs: facts, and where they are from."""
        if not self.flags & LIVE:
            return not other.flags & LIVE
        return bool(other.flags & LIVE) and self.rank == other.rank and self.source == other.source


def observe(event: WireObservation) -> tuple[Facet, bytes]:
    """Return what the state keeps of an event, and its canonical facts (empty for a clear)."""
    number: int = event.number  # type: ignore[attr-defined]  # set on each struct by schemas.wire
    facts = event.facts
    if facts is None:
        return Facet(number, to_ms(event.observed_at), b"", event.source, 0), b""
    if number == INTERFACE and facts.changed_at is not None:
        facts = msgspec.structs.replace(facts, changed_at=format_time(parse_time(facts.changed_at)))
    canonical: bytes = canonical_json(facts)
    flags, text = _KEEP[number](facts)
    rank = sha256(canonical).digest()[:RANK_BYTES]
    return Facet(number, to_ms(event.observed_at), rank, event.source, flags | LIVE, text), canonical


def facet_of(number: int, observed_ms: int, rank: bytes, source: str, canonical: str) -> Facet:
    """Return what the state keeps of stored facts (canonical JSON; empty = cleared or swept, `rank` stays)."""
    if not canonical:
        return Facet(number, observed_ms, rank, source, 0)
    flags, text = _KEEP[number](FACTS_OF[FACETS[number]](canonical))
    return Facet(number, observed_ms, rank, source, flags | LIVE, text)


def _directory(facts: Any) -> tuple[int, str]:
    return (DELETED if facts.deleted else 0), ""


def _interface(_: Any) -> tuple[int, str]:
    return 0, ""


def _subscription(facts: Any) -> tuple[int, str]:
    return (LICENSED if facts.skus or facts.teams_phone else 0) | (TEAMS_PHONE if facts.teams_phone else 0), ""


def _voice(facts: Any) -> tuple[int, str]:
    voice = facts.enterprise_voice
    return (0 if voice is None else VOICE_ON if voice else VOICE_OFF), facts.gateway or ""


def _phone_number(facts: Any) -> tuple[int, str]:
    kind = (facts.number_type or "").lower()
    return (
        IS_DIRECT_ROUTING if kind == "directrouting" else IS_OPERATOR_CONNECT if kind == "operatorconnect" else 0
    ), ""


def _lifecycle(facts: Any) -> tuple[int, str]:
    return (GROUPED if facts.groups else 0), ""


def _dial_plan(facts: Any) -> tuple[int, str]:
    return 0, facts.tag or ""


def _service_number(facts: Any) -> tuple[int, str]:
    return (HELD if facts.held_by_user else 0), ""


_KEEP = (_directory, _interface, _subscription, _voice, _phone_number, _lifecycle, _dial_plan, _service_number)
