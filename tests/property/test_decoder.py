"""The decoder of the hot path and the pydantic models are one contract."""

import json
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from licensing.facets import observe
from schemas.events import FACTS, MAX_AHEAD_MS, EventModel
from schemas.intake import Intake, read_record
from schemas.times import FIRST_MS, LAST_MS, format_ms, to_ms
from schemas.wire import WireEvent, WireObservation
from tests.property.events import EVENTS, NOT_FINITE, ODD, ODD_TIMES, as_json, observations, odd_events

ANY_TIME_MS = LAST_MS


def modelled(raw: bytes) -> Any:
    """Return what the models make of the bytes of one event, None where they refuse them."""
    try:
        text = raw.decode()
        try:
            builtin = msgspec.json.decode(text)
        except msgspec.ValidationError:  # a number beyond all ranges, which is nobody's business under an ignored key
            builtin = json.loads(text, parse_int=float)
        return EventModel.validate_python(builtin)
    except (pydantic.ValidationError, msgspec.MsgspecError, UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None


def told(event: WireEvent) -> dict[str, Any]:
    """Return all that the hot path says of an event, in plain values."""
    if isinstance(event, WireObservation):
        facet, facts = observe(event)
        canonical = msgspec.json.decode(facts) if facts else None
        return {
            "type": list(FACTS)[facet.number],
            "tenant": event.tenant,
            "subject": event.subject,
            "observed_at": format_ms(facet.observed_ms),
            "source": facet.source,
            "facts": canonical,
            "canonical": facts,
        }
    at = "started_at" if event.__struct_config__.tag == "sync_completed" else "observed_at"
    return {
        "type": event.__struct_config__.tag,
        "tenant": event.tenant,
        "facet": event.facet,
        "source": event.source,
        at: format_ms(to_ms(event.at)),
    }


def told_by(model: Any) -> dict[str, Any]:
    """Return the same of a model, whose facts are made canonical the plain way."""
    plain: dict[str, Any] = model.model_dump(mode="json", exclude_none=True)
    if model.type not in FACTS:
        return plain
    facts = plain.setdefault("facts", None)
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if model.facts else ""
    return plain | {"canonical": canonical.encode()}


def agree(raw: bytes) -> None:
    intake, model = read_record(raw, ANY_TIME_MS), modelled(raw)
    if model is None:
        assert intake.events == []
        assert [(rejection.index, rejection.raw) for rejection in intake.rejections] == [(0, raw)]
        assert intake.rejections[0].detail
    else:
        assert intake.rejections == []
        assert [told(event) for event in intake.events] == [told_by(model)]


@given(EVENTS, st.booleans())
def test_a_right_event_is_accepted_by_both_with_the_same_content(event: dict[str, Any], ascii_only: bool) -> None:
    raw = as_json(event, ascii_only=ascii_only)
    assert modelled(raw) is not None
    agree(raw)


@settings(max_examples=500)
@given(odd_events(ODD | st.sampled_from(NOT_FINITE)), st.booleans())
def test_an_odd_event_is_accepted_by_both_or_by_none(event: dict[str, Any], ascii_only: bool) -> None:
    agree(as_json(event, ascii_only=ascii_only))


@given(EVENTS, st.sampled_from(["tenant", "type", "facts", "source", "observed_at", "x", "facet"]), ODD, st.booleans())
def test_a_repeated_key_is_read_alike_by_both(event: dict[str, Any], key: str, value: Any, first: bool) -> None:
    pair, rest = as_json({key: value})[1:-1], as_json(event)[1:-1]
    agree(b"{" + (pair + b"," + rest if first else rest + b"," + pair) + b"}")


@settings(max_examples=300)
@given(EVENTS, st.data())
def test_damaged_bytes_are_accepted_by_both_or_by_none(event: dict[str, Any], data: st.DataObject) -> None:
    raw = as_json(event | {"x": "y"}, ascii_only=False)
    place = data.draw(st.integers(0, len(raw)))
    damage = data.draw(
        st.sampled_from([b"", b"\xff", b"\xed\xa0\x80", b"\x00", b"\\", b'"', b"{", b"1e999", b" ", b","])
    )
    length = data.draw(st.integers(0, 2))
    damaged = raw[:place] + damage + raw[place + length :]
    assume(damaged.lstrip()[:1] != b"[")
    agree(damaged)


@pytest.mark.parametrize("time", ODD_TIMES)
def test_a_time_in_an_odd_form_is_taken_by_both_or_by_none_wherever_it_stands(time: str) -> None:
    event: dict[str, Any] = {"type": "interface", "tenant": "t", "subject": "user:a"}
    event |= {"observed_at": "2026-01-01T00:00:00Z", "facts": {}}
    agree(as_json(event | {"observed_at": time}))
    agree(as_json(event | {"facts": {"changed_at": time}}))
    agree(as_json({"type": "sync_completed", "tenant": "t", "facet": "voice", "started_at": time}))
    agree(as_json({"type": "facet_confirmed", "tenant": "t", "facet": "voice", "observed_at": time}))


@pytest.mark.parametrize("place", ["tenant", "subject", "source", "x", "facts"])
def test_a_text_that_is_not_utf_8_is_refused_by_both_even_where_nobody_reads_it(place: str) -> None:
    event = {"type": "voice", "tenant": "t", "subject": "user:a", "observed_at": "2026-01-01T00:00:00Z", "facts": {}}
    raw = as_json(event | {place: {"gateway": "Q"} if place == "facts" else "user:Q"}).replace(b"Q", b"\xff")
    assert modelled(raw) is None
    agree(raw)


@pytest.mark.parametrize("key", ["x", "facts"])
@pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 5_000])
def test_a_number_beyond_all_ranges_does_no_harm_where_nobody_reads_it(key: str, number: str) -> None:
    raw = as_json(
        {"type": "voice", "tenant": "t", "subject": "user:a", "observed_at": "2026-01-01T00:00:00Z", "facts": {}}
    )
    extra = {"x": f', "x": {number}}}', "facts": f', "facts": {{"x": {number}}}}}'}[key].encode()
    agree(raw[:-1] + extra)


@given(EVENTS, st.integers(-2 * MAX_AHEAD_MS, 2 * MAX_AHEAD_MS))
def test_an_event_more_than_five_minutes_ahead_of_its_record_is_refused(event: dict[str, Any], late_ms: int) -> None:
    raw = as_json(event)
    model = modelled(raw)
    at = model.started_at if event["type"] == "sync_completed" else model.observed_at
    intake = read_record(raw, to_ms(at) - late_ms)
    assert [rejection.reason for rejection in intake.rejections] == ["ahead_of_time"] * (late_ms > MAX_AHEAD_MS)
    assert len(intake.events) == (late_ms <= MAX_AHEAD_MS)


@given(st.lists(st.tuples(EVENTS | odd_events() | odd_events(st.sampled_from(NOT_FINITE)), st.booleans()), max_size=6))
def test_an_array_gives_what_its_events_give_alone(events: list[tuple[dict[str, Any], bool]]) -> None:
    raws = [as_json(event, ascii_only=ascii_only) for event, ascii_only in events]
    alone = [read_record(raw, ANY_TIME_MS) for raw in raws]
    together = read_record(b" [" + b" ,\n".join(raws) + b"]\n", ANY_TIME_MS)
    assert [told(event) for event in together.events] == [told(event) for one in alone for event in one.events]
    assert together.unknown_facts == sum(one.unknown_facts for one in alone)
    assert [(rejection.index, rejection.reason, rejection.raw) for rejection in together.rejections] == [
        (index, rejection.reason, raws[index]) for index, one in enumerate(alone) for rejection in one.rejections
    ]


@given(observations(), st.dictionaries(st.sampled_from(["p", "q", "r"]), ODD))
def test_unknown_facts_are_left_out_and_counted(event: dict[str, Any], unknown: dict[str, Any]) -> None:
    assume(event["facts"] is not None and "\\ud" not in json.dumps(unknown))
    plain = read_record(as_json(event), ANY_TIME_MS)
    more = read_record(as_json(event | {"facts": event["facts"] | unknown}), ANY_TIME_MS)
    assert [told(one) for one in more.events] == [told(one) for one in plain.events]
    assert (plain.unknown_facts, more.unknown_facts) == (0, len(unknown))


def accounted_for(intake: Intake) -> bool:
    return all(rejection.detail and rejection.reason != "internal_error" for rejection in intake.rejections)


@given(
    st.binary(max_size=200) | st.text().map(lambda text: text.encode(errors="surrogatepass")),
    st.integers(-(2**63), 2**63),
)
@example(b"[" * 100_000, 0)
@example(b'{"a":' * 100_000, 0)
@example(b'{"type":"voice","facts":' + b"[" * 5_000 + b"]" * 5_000 + b"}", 0)
def test_reading_never_raises_whatever_the_bytes_and_the_time_of_the_record(value: bytes, record_ms: int) -> None:
    assert accounted_for(read_record(value, record_ms))


@given(
    st.lists(EVENTS | odd_events(ODD | st.sampled_from(NOT_FINITE)), max_size=3), st.integers(FIRST_MS * 3, LAST_MS * 3)
)
def test_reading_never_raises_for_odd_events_and_no_event_vanishes(
    events: list[dict[str, Any]], record_ms: int
) -> None:
    intake = read_record(as_json(events), record_ms)
    assert accounted_for(intake)
    assert len(intake.events) + len(intake.rejections) == len(events)
