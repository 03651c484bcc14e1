"""Owns the reading of events files: JSON lines, arrays, objects, each event checked as the meter will."""

from collections.abc import Iterator

import msgspec

from collectors.files.json_values import Value, split_values
from collectors.files.rows import RawEvent, Rejected
from collectors.files.text import TextFile, is_undecodable
from schemas.intake import problem_of, unknown_facts, word
from schemas.wire import WireEvent, WireObservation, decode_lenient


def read_events(file: TextFile, tenant: str | None, now_ms: int) -> Iterator[RawEvent | Rejected]:
    """Give out the events of a file. `tenant`: the only one whose events are taken (None: any). `now_ms`: what a time
    must not be ahead of."""
    for value in split_values(file.lines()):
        yield value if isinstance(value, Rejected) else _read(value, tenant, now_ms)


def _read(value: Value, tenant: str | None, now_ms: int) -> RawEvent | Rejected:
    if is_undecodable(value.text):
        return Rejected(value.line, "bytes that are not valid text: write events as UTF-8")
    try:
        event: WireEvent = decode_lenient(value.text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return Rejected(value.line, word(value.text.encode(), str(error))[1])
    problem = problem_of(event, now_ms)
    if problem is not None:
        return Rejected(value.line, problem[1])
    if tenant is not None and event.tenant != tenant:
        return Rejected(value.line, f"an event of the tenant {event.tenant}, while only {tenant} is imported")
    if isinstance(event, WireObservation):
        facet: str = type(event).facet  # type: ignore[attr-defined]  # set on each struct by schemas.wire
        encoded, unknown = msgspec.json.encode(event), unknown_facts(event, value.text)
        return RawEvent(value.line, event.tenant, facet, event.subject, event.observed_at, encoded, unknown)
    return RawEvent(value.line, event.tenant, event.facet, None, event.at, msgspec.json.encode(event))
