"""What the state keeps of an observation, and what it tells of a change."""

import hashlib
import json
from typing import Any

import pytest

from licensing.facets import FACETS, LIVE, RANK_BYTES, Facet, observe
from schemas.intake import read_record

AT = "2026-01-01T12:00:00.000Z"


def observed(facet: str, facts: dict[str, Any] | None, source: str = "graph", at: str = AT) -> tuple[Facet, bytes]:
    subject = "number:1" if facet in ("dial_plan", "service_number") else "user:a"
    event = {"type": facet, "tenant": "t", "subject": subject, "observed_at": at, "source": source, "facts": facts}
    intake = read_record(json.dumps(event).encode(), 2**41)
    return observe(intake.events[0])  # type: ignore[arg-type]  # a facet event


def test_canonical_facts_are_sorted_without_spaces_nulls_and_unknown_facts_in_utf_8() -> None:
    facet, canonical = observed(
        "voice", {"routing_policy": "Zürich", "x": 1, "gateway": None, "enterprise_voice": True}
    )
    assert canonical == '{"enterprise_voice":true,"routing_policy":"Zürich"}'.encode()
    assert facet.rank == hashlib.sha256(canonical).digest()[:RANK_BYTES]


def test_a_clear_has_no_rank_no_facts_and_is_not_live() -> None:
    facet, canonical = observed("voice", None)
    assert (facet.rank, facet.flags, canonical) == (b"", 0, b"")


def test_facts_without_any_known_fact_are_live_and_beat_a_clear() -> None:
    empty, canonical = observed("interface", {})
    assert canonical == b"{}"
    assert empty.flags & LIVE
    assert empty.beats(observed("interface", None)[0])


@pytest.mark.parametrize(
    "text", ["2026-01-01T12:00:00+02:00", "2026-01-01t10:00:00.0009z", "2026-01-01T10:00:00-00:00"]
)
def test_one_instant_written_in_two_ways_is_one_fact(text: str) -> None:
    expected = observed("interface", {"changed_at": "2026-01-01T10:00:00Z"})
    assert observed("interface", {"changed_at": text}) == expected
    assert expected[1] == b'{"changed_at":"2026-01-01T10:00:00.000Z"}'


def test_a_later_instant_beats_facts_of_any_hash() -> None:
    clear = observed("voice", None, at="2026-01-01T12:00:00.001Z")[0]
    assert clear.beats(observed("voice", {"gateway": "a"})[0])


def test_on_a_tie_of_instant_and_facts_the_greater_source_wins() -> None:
    one, other = observed("voice", {}, source="a")[0], observed("voice", {}, source="b")[0]
    assert (one.beats(other), other.beats(one)) == (False, True)


def test_an_observation_does_not_beat_itself() -> None:
    facet = observed("voice", {"gateway": "a"})[0]
    assert not facet.beats(facet)
    assert not facet.beats(facet.outdated())


def test_facts_are_the_same_if_content_and_source_are_whatever_the_instant() -> None:
    facet = observed("voice", {"gateway": "a"})[0]
    assert facet.same_facts(observed("voice", {"gateway": "a"}, at="2026-01-02T00:00:00Z")[0])
    assert not facet.same_facts(observed("voice", {"gateway": "a"}, source="b")[0])
    assert not facet.same_facts(observed("voice", {"gateway": "b"})[0])
    assert not facet.same_facts(observed("voice", None)[0])
    assert not observed("voice", None)[0].same_facts(facet)


def test_cleared_and_swept_are_the_same_whoever_says_so() -> None:
    cleared = observed("voice", None)[0]
    assert cleared.same_facts(observed("voice", None, source="b")[0])
    assert cleared.same_facts(observed("voice", {"gateway": "a"})[0].outdated())


def test_what_a_sync_outdated_keeps_neither_flags_nor_text() -> None:
    facet = observed("voice", {"gateway": "sbc1", "enterprise_voice": False})[0]
    gone = facet.outdated()
    assert (gone.number, gone.observed_ms) == (facet.number, facet.observed_ms)
    assert (gone.rank, gone.source) == (facet.rank, facet.source)
    assert (gone.flags, gone.text) == (0, "")


@pytest.mark.parametrize("facet", FACETS)
def test_the_number_of_a_facet_in_the_state_never_changes(facet: str) -> None:
    # These numbers are written into changelogs: a new facet goes to the end.
    written = [
        "directory",
        "interface",
        "subscription",
        "voice",
        "phone_number",
        "lifecycle",
        "dial_plan",
        "service_number",
    ]
    assert observed(facet, None)[0].number == written.index(facet)
