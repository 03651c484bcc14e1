"""What is rebuilt from stored facts is what the meter had: records, profiles, tallies, and nothing to do again."""

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from collectors.simulator.simulator import Simulator
from runtime.embedded.first_facts import Told, first_facts
from schemas.changes import SnapshotEnd, SyncRecord, Tally
from schemas.count import Count
from schemas.times import parse_time, to_ms
from streams.protocol.counter import CounterPartition
from streams.protocol.effects import Item
from streams.protocol.rebuild import Rebuild
from streams.protocol.settings_book import SettingsBook
from streams.protocol.state import PartitionState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTITIONS = 4
TENANTS = 3


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(7, TENANTS, NOW)


@pytest.fixture(scope="module")
def told(simulator: Simulator) -> list[Told]:
    return list(first_facts(simulator.settings(), simulator.initial_events(), PARTITIONS, to_ms(NOW)))


def values(told: list[Told], topic: str, kind: str | None = None) -> list[dict[str, Any]]:
    decoded = [msgspec.json.decode(record.value or b"") for record in told if record.topic == topic]
    return [value for value in decoded if kind is None or value["type"] == kind]


def test_the_first_counts_are_those_of_the_simulated_provider(simulator: Simulator, told: list[Told]) -> None:
    counts = values(told, "license-counts")
    assert {count["tenant"] for count in counts} == {settings.tenant for settings in simulator.settings()}
    expected = {
        tenant: {str(profile): subjects for profile, subjects in tally.items() if profile and subjects}
        for tenant, tally in simulator.tally().items()
    }
    found = {
        count["tenant"]: {profile: subjects for profile, subjects in count["profiles"].items() if profile != "0"}
        for count in counts
    }
    assert expected == found
    assert all(None not in count["freshness"].values() for count in counts), "every source has completed a sync"


def test_every_subject_has_an_unbroken_chain_of_changes(told: list[Told]) -> None:
    last: dict[tuple[str, str], tuple[int, int | None]] = {}
    for change in values(told, "seat-changes", "seat_change"):
        key = change["tenant"], change["subject"]
        assert (change["rev"] - 1, change["old_profile"]) == last.get(key, (0, None))
        last[key] = change["rev"], change["new_profile"]
    assert len(last) > 100


def stored_subjects(told: list[Told]) -> list[Any]:
    """Return what ClickHouse would have of them: the newest change of each facet."""
    subjects: dict[tuple[str, str], Any] = {}
    for change in values(told, "seat-changes", "seat_change"):
        key = change["tenant"], change["subject"]
        kept = subjects.setdefault(key, SimpleNamespace(tenant=key[0], subject=key[1], rev=0, facets={}))
        kept.rev = change["rev"]
        observed_at = parse_time(change["observed_at"])
        kept.facets[change["facet"]] = SimpleNamespace(**{**change, "observed_at": observed_at})
    for kept in subjects.values():
        kept.facets = list(kept.facets.values())
    return list(subjects.values())


def rebuilt(told: list[Told]) -> tuple[dict[int, PartitionState], SettingsBook, list[Item]]:
    book = SettingsBook()
    for record in told:
        if record.topic == "tenants":
            book.apply(record.key or b"", record.value)
    syncs = [SyncRecord.model_validate(value) for value in values(told, "seat-changes", "sync")]
    as_of = {count["tenant"]: parse_time(count["as_of"]) for count in values(told, "license-counts")}
    builder = Rebuild(book, PARTITIONS, syncs, as_of)
    states = {partition: PartitionState() for partition in range(PARTITIONS)}
    for subject in stored_subjects(told):
        placed = builder.record(subject)
        assert placed is not None
        states[placed[0]].install(placed[1].key, placed[1].value)
    for partition, header in builder.headers():
        states[partition].install(header.key, header.value)
    return states, book, [item for _, item in builder.tallies()]


def test_the_tallies_of_a_rebuild_are_those_of_its_records(told: list[Told]) -> None:
    states, book, items = rebuilt(told)
    tallies = [Tally.model_validate_json(item.value or b"") for item in items]
    assert len(tallies) == sum(len(state.tenants) for state in states.values())
    for tally in tallies:
        state = states[tally.partition].tenants[tally.tenant]
        profiles = Counter(record[0] for record in state.records.values())
        assert {str(profile): subjects for profile, subjects in profiles.items()} == tally.profiles
        assert tally.criteria == state.header.fingerprint == book.rules_of(tally.tenant).fingerprint


def test_a_counter_that_starts_on_a_rebuild_has_the_count_and_publishes_nothing(told: list[Told]) -> None:
    _, book, items = rebuilt(told)
    counter = CounterPartition(book)
    for count in values(told, "license-counts"):
        counter.continue_from(Count.model_validate(count))
    for tenant in book.tenants():
        counter.settings_changed(tenant)
    for item in items:
        counter.apply(Tally.model_validate_json(item.value or b""))
    counter.settle_start()
    assert counter.due(to_ms(NOW) + 60_000) == []


def test_tallies_of_a_rebuild_give_way_to_the_owners(told: list[Told]) -> None:
    _, book, items = rebuilt(told)
    counter = CounterPartition(book)
    for item in items:
        counter.apply(Tally.model_validate_json(item.value or b""))
    for partition in range(PARTITIONS):
        counter.apply(SnapshotEnd(partition=partition, epoch=1))
    assert list(counter.board.tenants()) == [], "owners that publish nothing have none of them"
