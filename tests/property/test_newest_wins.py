"""Which observation of a facet wins does not depend on order, duplicates or batches, and profiles follow from it."""

import hashlib
import itertools
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.criteria import CompiledCriteria, compile_criteria
from licensing.facets import FACETS, LIVE, RANK_BYTES, Facet, observe
from licensing.profile import profile_of
from licensing.recount import Observed, Synced, latest_facts, recount, tally_of
from schemas.intake import read_record
from schemas.settings import TenantSettings
from schemas.times import format_time, to_ms
from schemas.wire import WireEvent, WireObservation, WireSync
from tests.property.events import as_json
from tests.property.tenants import SETTINGS, SYNCED, observed

Step = Observed | Synced


class MemoryState:
    """The state of one tenant as the meter keeps it: the newest of each facet, and the sync starts of each source."""

    def __init__(self) -> None:
        self.facets: dict[tuple[str, str], Facet] = {}
        self.starts: dict[tuple[str, str], int] = {}

    def apply(self, events: Iterable[WireEvent]) -> None:
        for event in events:
            if isinstance(event, WireObservation):
                self._observe(event)
            elif isinstance(event, WireSync):
                self._sweep(event.facet, event.source, to_ms(event.started_at))

    def _observe(self, event: WireObservation) -> None:
        new, _ = observe(event)
        facet = FACETS[new.number]
        start = self.starts.get((facet, new.source))
        if start is not None and new.observed_ms < start:
            new = new.outdated()
        old = self.facets.get((event.subject, facet))
        if old is None or new.beats(old):
            self.facets[event.subject, facet] = new

    def _sweep(self, facet: str, source: str, start: int) -> None:
        if start <= self.starts.get((facet, source), start - 1):
            return
        self.starts[facet, source] = start
        for key, old in self.facets.items():
            if key[1] == facet and old.source == source and old.observed_ms < start:
                self.facets[key] = old.outdated()

    def profiles(self, criteria: CompiledCriteria) -> dict[str, int]:
        subjects = {subject for subject, _ in self.facets}
        return {
            subject: profile_of([facet for (owner, _), facet in self.facets.items() if owner == subject], criteria)
            for subject in subjects
        }


def as_event(step: Step) -> dict[str, Any]:
    if isinstance(step, Synced):
        return {"type": "sync_completed", "tenant": "contoso", "facet": step.facet, "source": step.source,
                "started_at": format_time(step.started_at)}  # fmt: skip
    return {"type": step.facet, "tenant": "contoso", "subject": step.subject, "source": step.source,
            "observed_at": format_time(step.observed_at), "facts": step.facts}  # fmt: skip


def fed(steps: Iterable[Step], sizes: Iterable[int]) -> MemoryState:
    """Feed the steps as records of the given numbers of events, the last with the rest."""
    state, left, batch_sizes = MemoryState(), list(steps), iter(sizes)
    while left:
        size = next(batch_sizes, len(left))
        intake = read_record(as_json([as_event(step) for step in left[:size]]), 0)
        assert intake.rejections == []
        state.apply(intake.events)
        left = left[size:]
    return state


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Step], list[Step], list[int]]:
    """Steps; the same shuffled, some of them twice; and sizes of batches."""
    steps = draw(st.lists(observed() | SYNCED, max_size=14))
    again = draw(st.lists(st.sampled_from(steps), max_size=6)) if steps else []
    return steps, draw(st.permutations(steps + again)), draw(st.lists(st.integers(1, 5), max_size=6))


def facts_by_rank(facts: dict[str, Any] | None) -> bytes | None:
    if facts is None:
        return None
    known = {name: value for name, value in facts.items() if value is not None}
    return hashlib.sha256(
        json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    ).digest()


@given(histories())
def test_the_winner_is_that_of_the_recount_in_any_order_with_duplicates_and_in_any_batches(
    history: tuple[list[Step], list[Step], list[int]],
) -> None:
    steps, shuffled, sizes = history
    expected = latest_facts(
        [step for step in steps if isinstance(step, Observed)], [step for step in steps if isinstance(step, Synced)]
    )
    state = fed(shuffled, sizes)
    assert set(state.facets) == {(subject, facet) for subject, facets in expected.items() for facet in facets}
    for (subject, facet), kept in state.facets.items():
        rank = facts_by_rank(expected[subject][facet])
        assert (kept.rank if kept.flags & LIVE else None) == (rank[:RANK_BYTES] if rank else None)


@given(histories(), SETTINGS)
def test_the_profiles_are_those_of_the_recount_in_any_order_with_duplicates_and_in_any_batches(
    history: tuple[list[Step], list[Step], list[int]], settings: TenantSettings
) -> None:
    steps, shuffled, sizes = history
    facts = latest_facts(
        [step for step in steps if isinstance(step, Observed)], [step for step in steps if isinstance(step, Synced)]
    )
    expected = recount(facts, settings)
    profiles = fed(shuffled, sizes).profiles(compile_criteria(settings))
    assert profiles == expected
    assert tally_of(profiles) == tally_of(expected)


@given(histories())
def test_one_order_and_another_leave_the_same_state(history: tuple[list[Step], list[Step], list[int]]) -> None:
    steps, shuffled, sizes = history
    assert fed(steps, []).__dict__ == fed(shuffled, sizes).__dict__


def facets() -> st.SearchStrategy[Facet]:
    return st.builds(
        Facet,
        number=st.just(3),
        observed_ms=st.integers(-1, 1),
        rank=st.sampled_from([b"", b"\x00" * 16, b"\x00" * 15 + b"\x01", b"\xff" * 16]),
        source=st.sampled_from(["a", "b", "é"]),
        flags=st.just(LIVE),
    )


def place(facet: Facet) -> tuple[int, bool, bytes, bytes]:
    """LICENSE-FACTORS §5 in one line: instant, facts before a clear, greater hash, greater source."""
    return facet.observed_ms, facet.rank != b"", facet.rank, facet.source.encode()


@given(st.lists(facets(), min_size=3, max_size=3))
def test_beats_is_a_strict_total_order(three: list[Facet]) -> None:
    for one, other in itertools.product(three, three):
        assert one.beats(other) + other.beats(one) + (place(one) == place(other)) == 1
        assert one.beats(other) == (place(one) > place(other))
    for one, other, third in itertools.permutations(three, 3):
        if one.beats(other) and other.beats(third):
            assert one.beats(third)


@given(facets(), facets())
def test_what_a_sync_outdated_keeps_its_place_in_the_order(one: Facet, other: Facet) -> None:
    assert one.outdated().beats(other) == one.beats(other)
    assert other.beats(one.outdated()) == other.beats(one)
