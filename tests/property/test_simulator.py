"""The simulator: a seed tells the same, the rules count what it says they count, and its past ends in its present."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.outgoing import from_dict
from collectors.simulator import contoso, subjects
from collectors.simulator.changes import SYNCED_FACETS
from collectors.simulator.simulator import Simulator
from licensing import factors
from schemas.intake import read_record
from schemas.times import to_ms
from tests.unit.collectors.importing import profiles_of

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
FEW = settings(max_examples=10)


def told(simulator: Simulator, *until: datetime) -> list[tuple[datetime, list[dict[str, Any]]]]:
    return [step for instant in until for step in simulator.steps(instant)]


@FEW
@given(st.integers(0, 2**32), st.lists(st.integers(0, 7_200), max_size=5))
def test_the_same_seed_tells_the_same_however_the_time_is_cut(seed: int, cuts: list[int]) -> None:
    end = START + timedelta(hours=2)
    whole, cut = Simulator(seed, 3, START), Simulator(seed, 3, START)
    expected = msgspec.json.encode([*whole.initial_events(), *told(whole, end)])
    steps = told(cut, *(START + timedelta(seconds=s) for s in sorted(cuts)), end)
    assert expected == msgspec.json.encode([*cut.initial_events(), *steps])


def test_another_seed_tells_something_else() -> None:
    assert list(Simulator(1, 2, START).initial_events()) != list(Simulator(2, 2, START).initial_events())


@FEW
@given(st.integers(0, 2**32))
def test_the_rules_count_what_the_simulator_counts(seed: int) -> None:
    simulator = Simulator(seed, 2, START, mean_gap_s=60)
    events = list(simulator.initial_events())
    for days in (0, 1, 2):
        events += [event for _, step in told(simulator, START + timedelta(days=days)) for event in step]
        everything = events + simulator.held_back()
        for tenant in simulator.settings():
            counted = Counter(profiles_of(everything, tenant).values())
            del counted[0]
            assert simulator.tally()[tenant.tenant] == counted


@pytest.fixture(scope="module")
def three_days() -> list[tuple[datetime, list[dict[str, Any]]]]:
    return told(Simulator(7, 6, START), START + timedelta(days=3))


def test_no_event_would_be_refused(three_days: list[tuple[datetime, list[dict[str, Any]]]]) -> None:
    for at, events in [(START, list(Simulator(7, 6, START).initial_events())), *three_days]:
        for event in events:
            assert [] == read_record(from_dict(event).value, to_ms(at)).rejections


def test_events_come_late_and_twice_and_tenants_sync_daily(
    three_days: list[tuple[datetime, list[dict[str, Any]]]],
) -> None:
    changes = [e for _, events in three_days for e in events if "subject" in e]
    seen = Counter(msgspec.json.encode(event) for event in changes)
    assert any(times == 2 for times in seen.values())
    late = [at for at, events in three_days for e in events if "subject" in e and e["observed_at"] < _text(at, 60)]
    assert late
    syncs = Counter(e["tenant"] for _, events in three_days for e in events if e["type"] == "sync_completed")
    assert {3 * 7} == set(syncs.values())
    told_in_syncs = {e["type"] for _, events in three_days if events[-1]["type"] == "sync_completed" for e in events}
    assert {*SYNCED_FACETS, "sync_completed"} == told_in_syncs
    assert 6 == len(syncs)


def _text(at: datetime, seconds_before: int) -> str:
    return (at - timedelta(seconds=seconds_before)).strftime("%Y-%m-%dT%H:%M:%S")


def test_people_move_between_factors_and_tags_are_mistyped(
    three_days: list[tuple[datetime, list[dict[str, Any]]]],
) -> None:
    kinds = Counter(e["type"] for _, events in three_days for e in events if e.get("facts", 0) is None)
    assert {"phone_number", "interface"} <= set(kinds)
    tags = [e["facts"]["tag"] for _, events in three_days for e in events if e["type"] == "dial_plan" and e["facts"]]
    assert any(tag.startswith("sbc1,") for tag in tags)


def test_contoso_stands_still(three_days: list[tuple[datetime, list[dict[str, Any]]]]) -> None:
    assert contoso.TENANT not in {event["tenant"] for _, events in three_days for event in events}


def test_sizes_are_many_small_and_a_few_big() -> None:
    sizes = sorted(sum(tally.values()) for tally in Simulator(7, 60, START).tally().values())
    assert sizes[-1] > 5 * sizes[len(sizes) // 2]


@FEW
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_a_year_ends_in_the_present_without_a_jump(seed: int, days: int) -> None:
    simulator = Simulator(seed, 2, START)
    told(simulator, START + timedelta(hours=1))  # what happens later does not change the past
    points = list(simulator.year_of_counts(days))
    initial = Simulator(seed, 2, START).tally()
    for tenant in simulator.settings():
        own = [point for point in points if point.tenant == tenant.tenant]
        assert own == sorted(own, key=lambda point: point.at)
        assert len({point.at for point in own}) == len(own)
        assert (START, tenant.acquired_licenses, initial[tenant.tenant]) == (
            own[-1].at,
            own[-1].acquired_licenses,
            own[-1].profiles,
        )
        assert START - timedelta(days=days) <= own[0].at
        now, before = sum(own[-1].profiles.values()), sum(own[-2].profiles.values())
        assert abs(now - before) <= max(0.01 * now, len(own[-1].profiles))
        assert all(number > 0 and 0 < profile < 256 for point in own for profile, number in point.profiles.items())


def test_the_bits_of_a_profile_are_those_of_the_rules() -> None:
    names = "DIRECT_ROUTING OPERATOR_CONNECT LIFECYCLE USER_INTERFACE SERVICE_NUMBER LOADED LICENSED DR_PHONE"
    for name in names.split():
        assert getattr(factors, name) == getattr(subjects, name)
