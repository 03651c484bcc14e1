"""Owns what becomes of a record of an input topic: its good events, and its bad ones each with a reason in words."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import pydantic

from schemas.events import (
    FACTS,
    MAX_AHEAD_MS,
    MAX_ARRAY_BYTES,
    MAX_ARRAY_EVENTS,
    MAX_FACTS_BYTES,
    USER_FACETS,
    EventModel,
)
from schemas.identifiers import is_number, is_tenant, is_user
from schemas.splitting import split_array
from schemas.times import FIRST_MS, LAST_MS, format_ms, parse_time, to_ms
from schemas.wire import WireEvent, WireObservation, canonical_json, decode_known, decode_lenient

Reason = Literal["not_json", "too_large", "invalid", "ahead_of_time", "facts_too_large", "misrouted", "tenant_removed",
                 "too_many_sources", "internal_error", "not_allowed"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an event was refused: `index` in its array (0 for a single event), the reason, and a sentence for people."""

    index: int
    reason: Reason
    detail: str
    raw: bytes


@dataclass(slots=True)
class Intake:
    """What one record held: accepted events in order, rejections, and how many unknown facts were left out."""

    events: list[WireEvent] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    unknown_facts: int = 0


_known_tenants: set[str] = set()
_KNOWN_TENANTS_LIMIT = 100_000
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def read_record(value: bytes | None, record_ms: int) -> Intake:
    """Decode and check the value of one record, written at `record_ms`. Never raises for bad input (INTERFACE §1)."""
    intake = Intake()
    if value is None:
        detail = "the record has no value: send an event, or an array of events"
        intake.rejections.append(Rejection(0, "invalid", detail, b""))
        return intake
    if len(value) > MAX_ARRAY_BYTES:
        detail = f"a record of {len(value):,} bytes; at most {MAX_ARRAY_BYTES:,} are taken: send smaller arrays"
        intake.rejections.append(Rejection(0, "too_large", detail, value))
        return intake
    try:
        _refuse_other_than_utf8(value)
        decoded = decode_known(value)
    except _UNREADABLE:
        _read_slowly(value, record_ms, intake)
        return intake
    if type(decoded) is not list:
        _accept(decoded, value, 0, record_ms, intake)
    elif len(decoded) > MAX_ARRAY_EVENTS:
        intake.rejections.append(_too_many(len(decoded), value))
    else:
        raws: list[bytes] | None = None
        for index, event in enumerate(decoded):
            problem = problem_of(event, record_ms)
            if problem is None:
                intake.events.append(event)
            else:
                raws = raws or split_array(value)
                intake.rejections.append(Rejection(index, *problem, raws[index]))
    return intake


def read_known(value: bytes | None) -> list[WireEvent] | None:
    """Decode the value of a record without a look at its events beyond their JSON types: the common case, in a hurry.

    The caller owes each event `problem_of`, or has seen that nothing in it can be wrong. None: `read_record` is needed.
    """
    if value is None or len(value) > MAX_ARRAY_BYTES or not value.isascii():
        return None
    try:
        decoded = decode_known(value)
    except _UNREADABLE:
        return None
    if type(decoded) is not list:
        return [decoded]
    return decoded if len(decoded) <= MAX_ARRAY_EVENTS else None


def _too_many(count: int, value: bytes) -> Rejection:
    return Rejection(0, "too_large", f"an array of {count:,} events; at most {MAX_ARRAY_EVENTS:,} are taken", value)


def _read_slowly(value: bytes, record_ms: int, intake: Intake) -> None:
    """Take the record apart event by event, so that one bad event does not take its neighbours along."""
    try:
        raws = split_array(value)
    except (ValueError, RecursionError):
        raws = [value]
    if len(raws) > MAX_ARRAY_EVENTS:
        intake.rejections.append(_too_many(len(raws), value))
        return
    for index, data in enumerate(raws):
        try:
            event, unknown = _decode(data)
        except _UNREADABLE as error:
            intake.rejections.append(Rejection(index, *word(data, str(error)), data))
            continue
        intake.unknown_facts += unknown
        _accept(event, data, index, record_ms, intake)


def _refuse_other_than_utf8(data: bytes) -> None:
    # The decoder passes over the bytes of keys that no model names without a look at their encoding.
    if not data.isascii():
        data.decode()


def _decode(data: bytes) -> tuple[WireEvent, int]:
    """Return one event, and how many facts of it no model names."""
    _refuse_other_than_utf8(data)
    try:
        event = decode_lenient(data)
    except msgspec.ValidationError:
        # Of a repeated key the last counts; the decoder would have each of them right.
        data = msgspec.json.encode(msgspec.json.decode(data))
        event = decode_lenient(data)
    return event, unknown_facts(event, data)


def _accept(event: WireEvent, raw: bytes, index: int, record_ms: int, intake: Intake) -> None:
    problem = problem_of(event, record_ms)
    if problem is None:
        intake.events.append(event)
    else:
        intake.rejections.append(Rejection(index, *problem, raw))


def problem_of(event: WireEvent, record_ms: int) -> tuple[Reason, str] | None:
    """Say what is wrong with a decoded event beyond its JSON types, or None. `record_ms` is its record's timestamp."""
    tenant = event.tenant
    if tenant not in _known_tenants:
        if not is_tenant(tenant):
            return "invalid", _worded(event)
        if len(_known_tenants) >= _KNOWN_TENANTS_LIMIT:
            _known_tenants.clear()
        _known_tenants.add(tenant)
    if isinstance(event, WireObservation):
        facet: str = type(event).facet  # type: ignore[attr-defined]  # set on each struct by schemas.wire
        if not (is_user(event.subject) if facet in USER_FACETS else is_number(event.subject)):
            return "invalid", _worded(event)
        at = event.observed_at
        facts = event.facts
        if facts is not None:
            if facet == "interface" and facts.changed_at is not None and not _is_time(facts.changed_at):
                return "invalid", _worded(event)
            size = len(canonical_json(facts))
            if size > MAX_FACTS_BYTES:
                return "facts_too_large", f"facts of {size:,} bytes; at most {MAX_FACTS_BYTES:,} are taken"
    else:
        if event.facet not in FACTS:
            return "invalid", _worded(event)
        at = event.at
    at_ms = to_ms(at)
    if not FIRST_MS <= at_ms <= LAST_MS:
        return "invalid", f"{at.isoformat()} lies outside the years 1 to 9999 in UTC: check the clock of the sender"
    if at_ms - record_ms > MAX_AHEAD_MS:
        return "ahead_of_time", (
            f"{format_ms(at_ms)} is more than 5 minutes ahead of the record's own time"
            f" {format_ms(max(record_ms, FIRST_MS))}: check the clock of the sender"
        )
    return None


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except ValueError:
        return False
    return True


def _worded(event: WireEvent) -> str:
    return word(msgspec.json.encode(event), "")[1]


def word(raw: bytes, fallback: str) -> tuple[Reason, str]:
    """Let pydantic say what is wrong with the bytes of one event: reason and sentence."""
    try:
        builtin = msgspec.json.decode(raw)
    except msgspec.ValidationError as error:  # well-formed, with a number beyond all ranges
        return "invalid", fallback or str(error)
    except _UNREADABLE as error:
        return "not_json", f"not JSON: {error}{_hint(raw)}"
    try:
        EventModel.validate_python(builtin)
    except pydantic.ValidationError as error:
        return "invalid", "; ".join(
            _sentence(item) for item in error.errors(include_url=False, include_input=False)[:3]
        )
    return "invalid", fallback or "refused"


def _hint(raw: bytes) -> str:
    try:
        json.loads(raw.decode())
    except (ValueError, RecursionError):
        return ""
    return "; a text holds half of a surrogate pair, or a number is NaN or infinite"


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in FACTS)
    return f"{place}: {error['msg']}" if place else str(error["msg"])


class _FactNames(msgspec.Struct):
    facts: dict[str, msgspec.Raw] | None


def unknown_facts(event: WireEvent, raw: bytes | str) -> int:
    """Return how many facts of a decoded event no schema names; `raw` is what it was decoded from."""
    if not isinstance(event, WireObservation) or event.facts is None:
        return 0
    names = msgspec.json.decode(raw, type=_FactNames).facts or {}
    return sum(name not in event.facts.__struct_fields__ for name in names)
