"""What is told says no more than what was done (syncs, removals, sources), and what late writers leave is mended."""

from typing import Any

import pytest

import streams.protocol.meter
import streams.protocol.slice
from schemas.commands import SyncRun
from schemas.times import format_ms, from_ms
from streams.protocol.counter import CounterPartition, CountRecovery
from streams.protocol.meter import MeterPartition
from streams.protocol.office import Office
from streams.protocol.owned_log import OwnedLog
from streams.protocol.settings_book import SettingsBook
from tests.unit.protocol.bench import NOW_MS, Bench, new_meter, number_type, put, records, settings


def sync(at_ms: int) -> dict[str, Any]:
    return {
        "type": "sync_completed",
        "tenant": "acme",
        "facet": "phone_number",
        "source": "graph",
        "started_at": format_ms(at_ms),
    }


def new_office(book: SettingsBook) -> tuple[Office, CounterPartition]:
    counter = CounterPartition(book)
    return Office(0, counter, OwnedLog(lambda _: None)), counter


def held(started_ms: int, status: Any) -> SyncRun:
    return SyncRun(
        id=f"{started_ms}", tenant="acme", by="ana", sent_at=from_ms(NOW_MS), facet="voice", source="graph",
        started_at=from_ms(started_ms), seen=1, expected=100, status=status,
    )  # fmt: skip


def test_a_sync_is_told_only_after_the_last_subject_was_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.meter, "SLICE_EVENTS", 1)
    monkeypatch.setattr(streams.protocol.meter, "SLICE_SUBJECTS", 1)
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(*(number_type(f"user:{name}") for name in "abc"))))
    before = len(bench.told("seat-changes"))

    bench.run(meter.batch("assignments", records(sync(NOW_MS + 1), offset=3)))

    told = [each.get("kind", each["type"]) for each in bench.told("seat-changes")[before:]]
    assert told == ["sweep", "sweep", "sweep", "sync"]


def test_before_1970_nothing_is_outdated_where_no_sync_was() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    for offset, event in enumerate((number_type("user:a"), number_type("user:b", at_ms=-1))):
        bench.run(meter.batch("assignments", records(event, offset=offset)))
        bench.run(meter.flush())
    assert all(each["facts"] for each in bench.told("seat-changes"))
    assert ["user:a", "user:b"] == [each["subject"] for each in bench.told("seat-changes")]


def test_only_a_subject_of_which_nothing_is_left_is_told_as_removed() -> None:
    bench, book = Bench(), SettingsBook()
    meter = new_meter(book, bench)
    old, new = number_type("user:a", at_ms=NOW_MS + 10), number_type("user:b", at_ms=NOW_MS + 10)
    kept = {**number_type("user:b", at_ms=NOW_MS + 20), "type": "lifecycle", "facts": {"groups": ["g"]}}
    bench.run(meter.batch("assignments", records(old, new, kept)))
    put(book, settings(2, NOW_MS + 15))
    meter.settings_changed("acme")
    before = len(bench.told("seat-changes"))

    bench.run(meter.follow_rules())

    told = {each["subject"]: each["kind"] for each in bench.told("seat-changes")[before:]}
    assert told == {"user:a": "removed", "user:b": "rules"}


def test_a_removal_forgets_the_sources_that_have_told_nothing_since() -> None:
    bench, book = Bench(), SettingsBook()
    meter = new_meter(book, bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"), sync(NOW_MS))))
    put(book, settings(1, NOW_MS + 10, removes=True))
    meter.settings_changed("acme")

    bench.run(meter.follow_rules())

    assert meter.state.tenants["acme"].header.sources == {}


def test_a_source_too_many_is_a_dead_letter_and_the_known_ones_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.slice, "MAX_SOURCES", 2)
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    events = [{**number_type("user:a", at_ms=NOW_MS + at), "source": f"run-{at}"} for at in range(4)]
    known = {**number_type("user:b"), "source": "run-1"}

    bench.run(meter.batch("assignments", records(*events, {**sync(NOW_MS), "source": "another"}, known)))

    reasons = [dict(record.headers)["reason"] for record in bench.log("dead-letters").records]
    assert reasons == [b"too_many_sources"] * 3
    assert sorted(meter.state.tenants["acme"].records) == [b"user:a", b"user:b"]


def test_a_slice_ends_before_a_record_that_would_make_it_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.meter, "SLICE_EVENTS", 3)
    monkeypatch.setattr(streams.protocol.meter, "SLICE_SUBJECTS", 3)
    bench = Bench()
    meter = MeterPartition(0, 1, SettingsBook(), lambda: NOW_MS)
    bench.run(meter.start())
    bench.steps()
    pair = b"[%s]" % b",".join(record.value for record in records(number_type("user:a"), number_type("user:b")))

    bench.run(meter.batch("assignments", records(pair, pair)))

    assert bench.steps().count("slice") == 1


def test_a_lower_revision_that_a_late_writer_puts_behind_a_higher_is_written_over() -> None:
    bench, book = Bench(owned="license-counts"), SettingsBook()
    office, _ = new_office(book)
    put(book, settings(7, acquired_licenses=100))
    assert book.apply(b"acme", settings(6, acquired_licenses=500).model_dump_json().encode()) is None

    bench.run(office.heal(book.outdone & {"acme"}))

    assert [each["revision"] for each in bench.told("tenants")] == [7]
    assert book.outdone == set()


def test_a_confirmation_lets_go_of_no_later_hold() -> None:
    office, counter = new_office(SettingsBook())
    office.note_sync(held(1_000, "held"))
    office.note_sync(held(2_000, "held"))

    office.note_sync(held(1_000, "confirmed"))

    assert list(counter.held_syncs["acme"]) == [("voice", "graph")]
    office.note_sync(held(2_000, "confirmed"))
    assert counter.held_syncs["acme"] == {}


def test_a_record_that_is_no_count_is_passed_over() -> None:
    recovery = CountRecovery(CounterPartition(SettingsBook()))
    recovery.apply(records(b"rubbish", offset=5))
    assert recovery.unreadable == [5]
    assert recovery.position == 6
