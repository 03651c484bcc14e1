"""What becomes of a record: limits, and a refusal for each kind of bad input that says what to do."""

import json
from typing import Any

import pytest

from schemas.events import MAX_ARRAY_BYTES, MAX_FACTS_BYTES
from schemas.intake import read_record
from schemas.times import parse_time, to_ms

NOW = to_ms(parse_time("2026-01-01T12:00:00Z"))
EVENT = {
    "type": "voice",
    "tenant": "contoso",
    "subject": "user:a",
    "observed_at": "2026-01-01T12:00:00Z",
    "facts": {"gateway": "sbc1"},
}


def event(**edits: Any) -> dict[str, Any]:
    return EVENT | edits


def read(value: Any) -> list[tuple[int, str, str]]:
    raw = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return [(one.index, one.reason, one.detail) for one in read_record(raw, NOW).rejections]


def interface_of(size: int) -> dict[str, Any]:
    """An event whose canonical facts have exactly this many bytes."""
    return event(type="interface", facts={"change": "x" * (size - len('{"change":""}'))})


@pytest.mark.parametrize(
    ("value", "index", "reason", "words"),
    [
        (None, 0, "invalid", "the record has no value: send an event, or an array of events"),
        (b"", 0, "not_json", "not JSON: Input data was truncated"),
        (b"\x00\xff\xfe rubbish", 0, "not_json", "not JSON:"),
        (b'{"type": "voice"', 0, "not_json", "not JSON:"),
        (b'{"type": "voice", "tenant": "\xff"}', 0, "not_json", "not JSON: 'utf-8' codec can't decode byte 0xff"),
        (b'{"type": NaN}', 0, "not_json", "a text holds half of a surrogate pair, or a number is NaN or infinite"),
        (event(type="mood"), 0, "invalid", "Input tag 'mood' found using 'type' does not match any of the expected"),
        (b"5", 0, "invalid", "Input should be a valid dictionary"),
        (event(observed_at="2026-01-01T12:00:00"), 0, "invalid", "observed_at: Value error, a time is RFC 3339 with"),
        (event(observed_at="2026-01-01T12:05:00.001Z"), 0, "ahead_of_time",
         "12:05:00.001Z is more than 5 minutes ahead of the record's own time 2026-01-01T12:00:00.000Z: check"),
        (event(observed_at="0001-01-01T00:00:00+10:00"), 0, "invalid", "lies outside the years 1 to 9999 in UTC"),
        (event(observed_at="9999-12-31T23:59:59-10:00"), 0, "invalid", "lies outside the years 1 to 9999 in UTC"),
        (event(tenant="a/b"), 0, "invalid", "tenant: Value error, a tenant id is 1 to 64 of a-z 0-9 . _ - and begins"),
        (event(subject="user:A"), 0, "invalid", "subject: Value error, a subject is user:<id> in lower case"),
        (event(subject="number:1"), 0, "invalid", "the facet voice does not belong on number:1"),
        (event(source="x" * 65), 0, "invalid", "source: String should have at most 64 characters"),
        (event(facts={"gateway": 5}), 0, "invalid", "facts.gateway: Input should be a valid string"),
        (interface_of(MAX_FACTS_BYTES + 1), 0, "facts_too_large", "facts of 65,537 bytes; at most 65,536 are taken"),
        ([event()] * 1_001, 0, "too_large", "an array of 1,001 events; at most 1,000 are taken"),
        ([{}] * 1_001, 0, "too_large", "an array of 1,001 events; at most 1,000 are taken"),
        (b" " * (MAX_ARRAY_BYTES + 1), 0, "too_large", "a record of 1,048,577 bytes; at most 1,048,576 are taken"),
        (b" " * 10 * 1024 * 1024, 0, "too_large", "send smaller arrays"),
        ([event(), event(tenant="A"), event()], 1, "invalid", "tenant: Value error, a tenant id is"),
        ([event(), [event()]], 1, "invalid", "Input should be a valid dictionary"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_bad_record_is_refused_with_its_place_and_a_sentence(value: Any, index: int, reason: str, words: str) -> None:
    [(found_index, found_reason, detail)] = read(value)
    assert (found_index, found_reason) == (index, reason)
    assert words in detail


@pytest.mark.parametrize(
    "value",
    [
        [],
        [event()] * 1_000,
        interface_of(MAX_FACTS_BYTES),
        event(observed_at="2026-01-01T12:05:00.000Z"),
        json.dumps(event()).encode().ljust(MAX_ARRAY_BYTES),
    ],
    ids=["an empty array", "1,000 events", "64 KiB of facts", "5 minutes ahead", "1 MiB"],
)
def test_what_is_just_within_a_limit_is_taken(value: Any) -> None:
    assert read(value) == []


@pytest.mark.parametrize(
    "bad",
    [rb'{"x": "\ud83d"}', b'{"x": NaN}', b'{"x": "\xff"}', b'{"x": "\x01"}', b'{"x": 1e999}', b"null", b'{"x": "]"}'],
)
def test_an_event_that_is_no_json_does_not_take_its_neighbours_along(bad: bytes) -> None:
    good = json.dumps(event()).encode()
    intake = read_record(b"[" + good + b", " + bad + b" ,\n" + good + b"]", NOW)
    assert len(intake.events) == 2
    assert [(one.index, one.raw) for one in intake.rejections] == [(1, bad)]


def test_a_number_beyond_all_ranges_is_no_hindrance_to_cutting_an_array_with_a_bad_event() -> None:
    good = json.dumps(event()).encode()
    large = good[:-1] + b', "x": ' + b"9" * 5_000 + b"}"
    intake = read_record(b"[" + large + rb', {"x": "\ud83d"}, ' + good + b"]", NOW)
    assert (len(intake.events), [one.index for one in intake.rejections]) == (2, [1])


@pytest.mark.parametrize("cut", [b"[%s, %s", b"[%s, %s}", b"[%s %s]", b"[%s, %s] x", b"[%s, %s,]", b"[, %s, %s]"])
def test_an_array_that_cannot_be_cut_is_refused_whole(cut: bytes) -> None:
    good = json.dumps(event()).encode()
    raw = cut % (good, good.replace(b'"sbc1"', rb'"\ud83d"'))
    intake = read_record(raw, NOW)
    assert intake.events == []
    assert [(one.index, one.reason, one.raw) for one in intake.rejections] == [(0, "not_json", raw)]


def test_unknown_facts_are_counted_over_an_array_and_other_keys_are_ignored() -> None:
    more = event(facts={"gateway": "sbc1", "colour": "red", "size": 5}, shoe="left")
    intake = read_record(json.dumps([more, event(), event(facts={"colour": None})]).encode(), NOW)
    assert (len(intake.events), intake.unknown_facts, intake.rejections) == (3, 3, [])


def test_a_sync_that_began_ahead_of_its_record_is_refused() -> None:
    sync = {"type": "sync_completed", "tenant": "t", "facet": "voice", "started_at": "2026-01-01T12:06:00Z"}
    assert [reason for _, reason, _ in read(sync)] == ["ahead_of_time"]


@pytest.mark.parametrize("record_ms", [-1, -(10**18), 10**18])
def test_a_record_with_an_impossible_timestamp_is_read_all_the_same(record_ms: int) -> None:
    intake = read_record(json.dumps(event()).encode(), record_ms)
    assert len(intake.events) + len(intake.rejections) == 1
