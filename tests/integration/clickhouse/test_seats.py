"""Seats, facts and changes, now and as recorded at an instant, against a plain reading of the same changes."""

import json
from datetime import datetime
from random import Random
from typing import Any

import msgspec
import pytest

from licensing.factors import BY_NAME, counted_factor
from portal.ports import ProfileChange, Seat
from portal.store.store import ClickHouseStore
from runtime.clickhouse.pool import ClientPool
from schemas.changes import WireSeatChange
from schemas.times import parse_time
from streams.sink.clickhouse import ClickHouseRows
from tests.support.sinking import change, instant

SUBJECTS = [f"user:{letter}" for letter in "abcdefgh"] + ["number:+15550100"]


def _history(seed: int, length: int = 300) -> list[WireSeatChange]:
    random, rows = Random(seed), []
    state: dict[str, tuple[int, int | None]] = {}
    for second in range(length):
        subject = random.choice(SUBJECTS)
        rev, old = state.get(subject, (0, None))
        facet = random.choice(("directory", "voice", ""))
        cleared = facet and random.random() < 0.2
        name = f"{subject[-1].upper()}dele Ünal {random.randrange(9)}"
        facts = (
            {"display_name": name, "user_principal_name": f"{subject[5:]}@contoso.example"}
            if facet == "directory"
            else {}
        )
        state[subject] = rev + 1, random.randrange(256)
        rows.append(
            change(
                subject, rev + 1, at=second, facet=facet, kind="event" if facet else "rules",
                source=random.choice("xy"),
                facts="" if cleared or not facet else json.dumps(facts), old_profile=old, new_profile=state[subject][1],
            )
        )  # fmt: skip
    return rows


def _insert(rows: ClickHouseRows, changes: list[WireSeatChange]) -> None:
    rows.insert("seat_changes", [msgspec.json.encode(each) for each in changes])


def _newest(changes: list[WireSeatChange], at: datetime | None) -> dict[str, WireSeatChange]:
    return {each.subject: each for each in changes if at is None or parse_time(each.recorded_at) <= at}


def _facts(changes: list[WireSeatChange], subject: str, at: datetime | None) -> dict[str, WireSeatChange]:
    return {
        each.facet: each
        for each in changes
        if each.subject == subject and each.facet and (at is None or parse_time(each.recorded_at) <= at)
    }


@pytest.fixture(params=[1, 2])
def changes(request: pytest.FixtureRequest, rows: ClickHouseRows) -> list[WireSeatChange]:
    made = _history(request.param)
    _insert(rows, made)
    _insert(rows, made[100:250])  # what a crash before the commit repeats
    stranger = [msgspec.structs.replace(each, tenant="fabrikam", new_profile=255) for each in made[:50]]
    _insert(rows, stranger)
    return made


def test_a_list_of_seats_is_what_the_changes_say(store: ClickHouseStore, changes: list[WireSeatChange]) -> None:
    enabled = 0b10110
    for at in (None, instant(150), instant(-1)):
        for factor in ("all", "counted", "none", "direct_routing", "service_number"):
            expected = _expected_seats(changes, at, enabled, factor)
            found, after = [], ""
            while page := store.seats(
                "contoso", at=at, enabled=enabled, factor=factor, search=None, after=after, limit=2
            ):
                found += page
                after = page[-1].subject
            assert expected == found, (at, factor)


def _expected_seats(changes: list[WireSeatChange], at: datetime | None, enabled: int, factor: str) -> list[Seat]:
    expected = []
    for subject, newest in sorted(_newest(changes, at).items()):
        counted = counted_factor(newest.new_profile, enabled)
        fits = {"all": True, "counted": counted is not None, "none": counted is None}
        if fits.get(factor, counted is not None and counted.name == factor):
            directory = _facts(changes, subject, at).get("directory")
            named = json.loads(directory.facts) if directory and directory.facts else {}
            names = named.get("display_name"), named.get("user_principal_name")
            expected.append(Seat(subject, newest.new_profile, *names))
    return expected


@pytest.mark.parametrize("at", [None, instant(200)])
def test_a_search_looks_at_names_and_ids_without_regard_to_case(
    store: ClickHouseStore, changes: list[WireSeatChange], at: datetime | None
) -> None:
    for search in ("ADELE ÜNAL", "a@CONTOSO", "+1555", "' OR 1=1 --", "%", "\\"):
        expected = []
        for subject in sorted(_newest(changes, at)):
            directory = _facts(changes, subject, at).get("directory")
            named = list(json.loads(directory.facts).values()) if directory and directory.facts else []
            if any(search.lower() in text.lower() for text in [subject, *named]):
                expected.append(subject)
        found = store.seats("contoso", at=at, enabled=31, factor="all", search=search, after="", limit=100)
        assert expected == [seat.subject for seat in found], search


def test_facts_are_those_of_the_instant(store: ClickHouseStore, changes: list[WireSeatChange]) -> None:
    for at in (None, instant(60), instant(222)):
        for subject in SUBJECTS:
            expected = {
                facet: (each.source, json.loads(each.facts) if each.facts else None, parse_time(each.observed_at))
                for facet, each in sorted(_facts(changes, subject, at).items())
            }
            found = store.facts("contoso", subject, at)
            assert expected == {each.facet: (each.source, each.facts, each.observed_at) for each in found}
    every = [(each.subject, each.facet) for each in store.all_facts("contoso")]
    assert [
        (subject, facet) for subject in sorted(SUBJECTS) for facet in sorted(_facts(changes, subject, None))
    ] == every


def test_profiles_tallies_and_chains_are_what_the_changes_say(
    store: ClickHouseStore, changes: list[WireSeatChange]
) -> None:
    assert {subject: each.new_profile for subject, each in _newest(changes, None).items()} == store.profiles("contoso")
    tally: dict[int, int] = {}
    for each in _newest(changes, instant(99)).values():
        tally[each.new_profile] = tally.get(each.new_profile, 0) + 1
    assert tally == store.tally("contoso", instant(99))
    chain = store.profile_changes("contoso", ["user:a", "user:b"], None)
    ordered = [each for subject in ("user:a", "user:b") for each in changes if each.subject == subject]
    assert [(each.subject, each.rev, each.old_profile, each.new_profile) for each in ordered] == [
        (each.subject, each.rev, each.old_profile, each.new_profile) for each in chain
    ]
    assert len(store.profile_changes("contoso", ["user:a"], instant(100))) < len(
        store.profile_changes("contoso", ["user:a"], None)
    )


def test_changes_come_in_pages_in_the_order_of_time(store: ClickHouseStore, changes: list[WireSeatChange]) -> None:
    start, end = instant(50), instant(250)
    expected = [
        (each.subject, each.rev)
        for each in changes
        if start <= parse_time(each.recorded_at) < end and (each.old_profile or 0) != each.new_profile
    ]
    found, after = [], None
    while page := store.changes("contoso", start, end, after, 7, []):
        found += page
        after = (page[-1].at, page[-1].subject, page[-1].rev)
    assert expected == [(each.subject, each.rev) for each in found]


def test_changes_come_newest_first_when_asked_for(store: ClickHouseStore, changes: list[WireSeatChange]) -> None:
    start, end = instant(50), instant(250)
    expected = store.changes("contoso", start, end, None, 1_000, [])[::-1]
    found: list[ProfileChange] = []
    while page := store.changes(
        "contoso", start, end, (found[-1].at, found[-1].subject, found[-1].rev) if found else None, 7, [], True
    ):
        found += page
    assert expected == found


def test_changes_by_rules_go_to_the_revision_that_made_the_rules(store: ClickHouseStore, rows: ClickHouseRows) -> None:
    told: dict[str, Any] = {"kind": "rules", "facet": "", "old_profile": 1, "new_profile": 4}
    first = [change(f"user:{n}", 1, new_profile=1) for n in range(4)]
    moved = [change(f"user:{n}", 2, at=10, settings_revision=3, **told) for n in range(2)]
    moved += [change("user:2", 2, at=99, settings_revision=4, **told)]  # late, when a revision without new rules held
    moved += [change("user:3", 2, at=9, settings_revision=5, **(told | {"kind": "removed", "new_profile": 0}))]
    own = [change("user:0", 3, at=200, settings_revision=4, **told), change("user:9", 1, at=201, new_profile=4)]
    _insert(rows, first + moved + own)
    assert [(1, 4, 3)] == store.rule_moves("contoso", 3, [3, 5])
    assert [(1, 0, 1)] == store.rule_moves("contoso", 5, [3, 5])
    listed = store.changes("contoso", instant(5), instant(300), None, 99, [3, 5])
    assert [("user:0", 3), ("user:9", 1)] == [(each.subject, each.rev) for each in listed]


def test_of_two_tellings_of_one_revision_the_later_stays(store: ClickHouseStore, rows: ClickHouseRows) -> None:
    _insert(rows, [change("user:a", 1, new_profile=1), change("user:a", 2, old_profile=1, new_profile=2)])
    _insert(rows, [change("user:a", 2, old_profile=1, new_profile=8, id="f" * 32)])
    assert [1, 8] == [each.new_profile for each in store.profile_changes("contoso", ["user:a"], None)]
    assert {"user:a": 8} == store.profiles("contoso")


def test_the_factor_in_sql_is_the_factor_of_the_rules(store: ClickHouseStore, rows: ClickHouseRows) -> None:
    _insert(rows, [change(f"user:{profile:03d}", 1, new_profile=profile) for profile in range(256)])
    for enabled in (31, 19, 4, 0):
        for name in BY_NAME:
            expected = [f"user:{p:03d}" for p in range(256) if (c := counted_factor(p, enabled)) and c.name == name]
            found = store.seats("contoso", at=None, enabled=enabled, factor=name, search=None, after="", limit=1_000)
            assert expected == [seat.subject for seat in found]


def test_the_owner_that_told_a_change_is_on_record(pool: ClientPool, rows: ClickHouseRows) -> None:
    _insert(rows, [change("user:a", 1, epoch=7), change("user:b", 1)])
    with pool.lease() as client:
        stored = client.query("SELECT subject, epoch FROM seat_changes FINAL ORDER BY subject").result_rows
    assert [("user:a", 7), ("user:b", 0)] == [tuple(row) for row in stored]
