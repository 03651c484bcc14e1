"""The meter of one partition: its steps in order, rules followed in slices, removal, and what survives a restart."""

import json
from typing import Any

import pytest

import streams.protocol.meter
from schemas.times import format_ms
from streams.protocol.effects import Done, Item, Pause
from streams.protocol.meter import MeterPartition
from streams.protocol.settings_book import SettingsBook
from tests.unit.protocol.bench import NOW_MS, Bench, new_meter, number_type, put, records, settings, voice

DIRECT_ROUTING = 1


@pytest.fixture(autouse=True)
def _slices_of_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.meter, "SLICE_EVENTS", 1)
    monkeypatch.setattr(streams.protocol.meter, "SLICE_SUBJECTS", 1)


def profiles(meter: MeterPartition, tenant: str = "acme") -> dict[str, int]:
    state = meter.state.tenants[tenant]
    return {subject.decode(): value[0] for subject, value in state.records.items()}


def changes(bench: Bench) -> list[tuple[Any, ...]]:
    told = [each for each in bench.told("seat-changes") if each["type"] == "seat_change"]
    return [(each["subject"], each["rev"], each["kind"], each["old_profile"], each["new_profile"]) for each in told]


def dead(bench: Bench) -> list[tuple[str, str]]:
    headers = [dict(record.headers) for record in bench.log("dead-letters").records]
    return [(each["reason"].decode(), each["index"].decode()) for each in headers]


def sync(started_ms: int) -> dict[str, Any]:
    at = format_ms(started_ms)
    return {"type": "sync_completed", "tenant": "acme", "facet": "phone_number", "source": "graph", "started_at": at}


def test_a_start_claims_publishes_all_tallies_and_ends_the_snapshot() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"))))
    again = MeterPartition(0, 1, SettingsBook(), lambda: NOW_MS)
    again.recovery.apply(bench.log().read(0))  # type: ignore[arg-type]
    bench.steps()
    bench.run(again.start())
    steps = [step for step in bench.steps() if step != "rules"]
    assert "0-claim" == steps[0]
    assert ["5-headers", "5-tallies", "5-snapshot-end"] == steps[-3:]
    assert {"user:a": DIRECT_ROUTING} == profiles(again)
    tally, end = bench.told("tallies")[-2:]
    assert ({"1": 1}, again.log.epoch, again.log.epoch) == (tally["profiles"], tally["epoch"], end["epoch"])


def test_a_slice_is_told_before_it_is_kept_and_committed_after_its_tally() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"), offset=7)))
    assert ["3-tell", "4-keep", "slice"] == bench.steps()
    bench.run(meter.flush())
    done = bench.effects[-1]
    assert ["5-headers", "5-tallies", "6-done"] == bench.steps()
    assert Done("6-done", {"assignments": 8}) == done
    assert not meter.has_news


def test_memory_is_untouched_until_the_changelog_has_acknowledged() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    steps = meter.batch("assignments", records(number_type("user:a")))
    assert ["3-tell", "4-keep"] == [next(steps).step, steps.send(None).step]
    assert {} == meter.state.tenants
    steps.close()
    assert ({}, {}) == (meter.state.tenants, meter.done)


def test_a_bad_event_is_a_dead_letter_and_its_neighbours_go_on() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    array = json.dumps([number_type("user:a"), {"type": "nothing"}, number_type("user:b")]).encode()
    bench.run(meter.batch("assignments", records(b"{", array)))
    assert {"user:a": DIRECT_ROUTING, "user:b": DIRECT_ROUTING} == profiles(meter)
    assert [("not_json", "0"), ("invalid", "1")] == dead(bench)


def test_an_event_that_makes_the_rules_raise_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    monkeypatch.setattr("streams.protocol.slice.observe", lambda _: 1 / 0)
    bench.run(meter.batch("assignments", records(number_type("user:a"))))
    assert [("internal_error", "0")] == dead(bench)
    assert {"assignments": 1} == meter.done


def test_a_change_names_the_epoch_of_the_owner_that_tells_it() -> None:
    bench = Bench()
    new_meter(SettingsBook(), bench)
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"))))
    assert 1 == meter.log.epoch
    assert [1] == [each["epoch"] for each in bench.told("seat-changes")]


def test_a_repeated_event_changes_and_tells_nothing() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    for offset in range(2):
        bench.run(meter.batch("assignments", records(number_type("user:a"), offset=offset)))
    assert [("user:a", 1, "event", None, DIRECT_ROUTING)] == changes(bench)


def test_a_sync_sweeps_what_its_source_did_not_see_and_outdates_what_comes_late() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    seen, gone = number_type("user:a", at_ms=NOW_MS), number_type("user:b", at_ms=NOW_MS - 1)
    late = number_type("user:c", at_ms=NOW_MS - 2)
    bench.run(meter.batch("assignments", records(seen, gone, sync(NOW_MS), late)))
    assert {"user:a": DIRECT_ROUTING, "user:b": 0, "user:c": 0} == profiles(meter)
    assert [("user:b", 2, "sweep", DIRECT_ROUTING, 0), ("user:c", 1, "event", None, 0)] == changes(bench)[2:]


def following(bench: Bench) -> tuple[MeterPartition, SettingsBook]:
    """A meter with three users through gateway g1, about to follow a criterion that accepts g2 alone."""
    book = SettingsBook()
    meter = new_meter(book, bench)
    for place, subject in enumerate(["user:a", "user:b", "user:c"]):
        events = [number_type(subject), voice(subject, "g1")]
        bench.run(meter.batch("assignments", records(*events, offset=2 * place)))
    bench.run(meter.flush())
    put(book, settings(1, criteria={"licensed_users_by_gateway": "g2"}))
    meter.settings_changed("acme")
    bench.steps()
    return meter, book


def test_rules_are_followed_in_slices_with_live_events_between_and_no_tally_half_way() -> None:
    bench = Bench()
    meter, _ = following(bench)
    steps = meter.follow_rules()
    assert bench.run(steps, until_pause=True)
    assert ["3-tell", "4-keep", "rules"] == bench.steps()
    assert [0, DIRECT_ROUTING, DIRECT_ROUTING] == sorted(profiles(meter).values())
    bench.run(meter.batch("assignments", records(number_type("user:d"), voice("user:d", "g2"), offset=6)))
    bench.run(meter.flush())
    assert "5-tallies" not in bench.steps()
    bench.run(steps)
    bench.run(meter.flush())
    assert {"user:a": 0, "user:b": 0, "user:c": 0, "user:d": DIRECT_ROUTING} == profiles(meter)
    tally = bench.told("tallies")[-1]
    assert ({"0": 3, "1": 1}, 1, "rules", 3) == (
        tally["profiles"], tally["settings_revision"], tally["cause"]["kind"], tally["cause"]["subjects_lost"],
    )  # fmt: skip
    assert set() == meter.stale


def test_rules_that_change_again_on_the_way_are_followed_from_the_beginning() -> None:
    bench = Bench()
    meter, book = following(bench)
    steps = meter.follow_rules()
    assert bench.run(steps, until_pause=True)
    put(book, settings(2, criteria={"licensed_users_by_gateway": "g1"}))
    meter.settings_changed("acme")
    bench.run(steps)
    assert {DIRECT_ROUTING} == set(profiles(meter).values())
    assert (2, False) == (meter.state.tenants["acme"].header.settings_revision, bool(meter.stale))


def test_rules_that_change_back_on_the_way_leave_nobody_half_way() -> None:
    bench = Bench()
    meter, book = following(bench)
    before = profiles(meter)
    steps = meter.follow_rules()
    assert bench.run(steps, until_pause=True)
    assert before != profiles(meter)
    put(book, settings(2))
    meter.settings_changed("acme")
    bench.run(steps)
    assert before == profiles(meter)
    ids = [change["id"] for change in bench.told("seat-changes")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("crashes", [False, True])
def test_rules_that_come_back_before_all_subjects_have_left_them_are_followed(crashes: bool) -> None:
    bench = Bench()
    meter, book = following(bench)
    steps = meter.follow_rules()
    assert bench.run(steps, until_pause=True)
    assert 0 in profiles(meter).values()
    put(book, settings(2))
    if crashes:
        meter = new_meter(book, bench)
    else:
        meter.settings_changed("acme")
        bench.run(steps)
        bench.run(meter.flush())
    assert {DIRECT_ROUTING} == set(profiles(meter).values())
    tallies = [each for each in bench.told("tallies") if each["type"] == "tally"]
    assert ({"1": 3}, 2) == (tallies[-1]["profiles"], tallies[-1]["settings_revision"])


def test_an_event_between_two_criteria_is_looked_at_again_when_the_first_come_back() -> None:
    bench = Bench()
    meter, book = following(bench)
    bench.run(meter.batch("assignments", records(voice("user:a", "g1", at_ms=NOW_MS + 1), offset=6)))
    bench.run(meter.batch("assignments", records(voice("user:a", "g3", at_ms=NOW_MS + 2), offset=7)))
    assert 0 in profiles(meter).values()
    put(book, settings(2))
    bench.run(meter.follow_rules())
    assert {DIRECT_ROUTING} == set(profiles(meter).values())


def test_a_crash_on_the_way_follows_the_rules_again_after_recovery() -> None:
    bench = Bench()
    meter, book = following(bench)
    assert bench.run(meter.follow_rules(), until_pause=True)
    bench.run(meter.flush())
    again = new_meter(book, bench)
    assert {0} == set(profiles(again).values())
    assert {"0": 3} == bench.told("tallies")[-2]["profiles"]
    rules = [change for change in changes(bench) if change[2] == "rules"]
    assert ["user:a", "user:b", "user:c"] == sorted(subject for subject, *_ in rules)


def test_what_a_half_way_tenant_knows_of_freshness_survives_the_commit() -> None:
    bench = Bench()
    meter, book = following(bench)
    at = format_ms(NOW_MS)
    confirmed = {"type": "facet_confirmed", "tenant": "acme", "facet": "voice", "source": "graph", "observed_at": at}
    bench.run(meter.batch("assignments", records(confirmed, offset=6)))
    bench.run(meter.flush())
    assert "6-done" in bench.steps()
    again = new_meter(book, bench)
    assert NOW_MS == again.state.tenants["acme"].header.mark(3, "graph").confirmed_ms


def test_a_change_of_rules_during_the_start_does_not_end_the_snapshot_without_the_tenant() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"), number_type("user:b", tenant="beta"))))
    bench.run(meter.flush())
    book = SettingsBook()
    again = MeterPartition(0, 1, book, lambda: NOW_MS)
    again.recovery.apply(bench.log().read(0))  # type: ignore[arg-type]

    def change_rules() -> None:
        put(book, settings(1, gateways=["g1"]))
        again.settings_changed("acme")
        again.settings_changed("beta")

    bench.meanwhile["0-claim"] = lambda: bench.meanwhile.update({"4-keep": change_rules})
    put(book, settings(1).model_copy(update={"tenant": "beta", "gateways": ["g1"]}))
    bench.run(again.start())
    *told, end = bench.told("tallies")
    acme = [each for each in told if each.get("tenant") == "acme"][-1]
    assert (1, again.log.epoch, "snapshot_end") == (acme["settings_revision"], acme["epoch"], end["type"])


def test_a_removal_drops_the_facts_and_later_events_are_dead_letters_until_the_tenant_is_set_again() -> None:
    bench, book = Bench(), SettingsBook()
    meter = new_meter(book, bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"))))
    put(book, settings(1, NOW_MS + 10, removes=True))
    meter.settings_changed("acme")
    bench.run(meter.follow_rules())
    bench.run(meter.flush())
    assert {} == profiles(meter)
    assert ("user:a", 2, "removed", DIRECT_ROUTING, 0) == changes(bench)[-1]
    assert {} == bench.told("tallies")[-1]["profiles"]
    bench.run(meter.batch("assignments", records(number_type("user:a", at_ms=NOW_MS + 20), sync(NOW_MS), offset=1)))
    assert [("tenant_removed", "0")] * 2 == dead(bench)

    put(book, settings(2, NOW_MS + 10))
    meter.settings_changed("acme")
    old, new = number_type("user:a", at_ms=NOW_MS + 10), number_type("user:b", at_ms=NOW_MS + 11)
    bench.run(meter.batch("assignments", records(old, new, number_type("user:a", at_ms=NOW_MS + 12), offset=3)))
    assert {"user:a": DIRECT_ROUTING, "user:b": DIRECT_ROUTING} == profiles(meter)
    assert ("user:a", 3, "event", None, DIRECT_ROUTING) == changes(bench)[-1]


def test_a_removal_that_was_missed_drops_only_what_was_observed_up_to_it() -> None:
    bench, book = Bench(), SettingsBook()
    meter = new_meter(book, bench)
    late = number_type("user:b", at_ms=NOW_MS + 11)
    bench.run(meter.batch("assignments", records(number_type("user:a", at_ms=NOW_MS + 10), late)))
    put(book, settings(2, NOW_MS + 10))
    meter.settings_changed("acme")
    bench.run(meter.follow_rules())
    assert {"user:b": DIRECT_ROUTING} == profiles(meter)


def test_an_overlay_that_is_dropped_in_mid_write_heals_nothing_later() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(voice("user:a", "g1"))))
    kept = dict(meter.state.tenants["acme"].records)
    steps = meter.batch("assignments", records(voice("user:a", "g2", at_ms=NOW_MS + 1), offset=1))
    assert ["3-tell", "4-keep"] == [next(steps).step, steps.send(None).step]
    steps.close()
    stranger = bench.log().records[-1]
    bench.log().append([Item(stranger.key or b"", stranger.value)], NOW_MS)
    bench.run(meter.log.look_after(bench.log().end))
    assert kept[b"user:a"][6:] == (bench.log().records[-1].value or b"")[6:]


def test_pauses_let_others_go_first() -> None:
    bench = Bench()
    meter = new_meter(SettingsBook(), bench)
    bench.run(meter.batch("assignments", records(number_type("user:a"), number_type("user:b"))))
    assert 2 == sum(isinstance(effect, Pause) for effect in bench.effects)
