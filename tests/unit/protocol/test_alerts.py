"""Alerts of one tenant, step by step: what is told, when, and to whom."""

from typing import Any

import pytest

from schemas.commands import AcknowledgeAlert, Finding
from schemas.settings import Silence
from schemas.times import from_ms
from streams.notify.messages import Outcome
from streams.protocol import outbox
from streams.protocol.alert_state import decode_state, encode_state
from streams.protocol.alerts import AlertPartition
from tests.support.alerts import START_MS, Watched, count_at

LIMITS: dict[str, Any] = {"warning_percent": 80.0, "critical_percent": 90.0, "dwell_s": 10, "remind_after_s": 0}


def watched(**limits: Any) -> Watched:
    return Watched(**(LIMITS | limits))


def test_a_level_is_told_once_it_has_lasted_and_its_end_too() -> None:
    world = watched()
    world.count(0, 85)
    world.count(4, 85)
    world.wait(9.9)
    assert [] == world.changes()
    world.wait(30)
    world.count(40, 70)
    world.wait(60)
    assert [(10, "pool", "raised", "warning"), (50, "pool", "resolved", None)] == world.changes()


def test_a_short_excursion_is_not_told() -> None:
    world = watched()
    world.count(0, 95)
    world.count(9, 10)
    world.wait(100)
    assert [] == world.changes()


def test_a_jump_over_levels_tells_the_highest_and_a_fall_is_no_new_warning() -> None:
    world = watched(dwell_s=0, grace_percent=10.0)
    for seconds, used in ((0, 120), (20, 105), (40, 95), (60, 85), (80, 60)):
        world.count(seconds, used)
    assert [
        (0, "pool", "raised", "over_grace"),
        (20, "pool", "lowered", "over"),
        (40, "pool", "lowered", "critical"),
        (60, "pool", "lowered", "warning"),
        (80, "pool", "resolved", None),
    ] == world.changes()


def test_inside_the_band_nothing_flaps() -> None:
    world = watched(dwell_s=0, clear_percent=75.0)
    for seconds, used in enumerate((80, 79, 80, 76, 80, 75, 81)):
        world.count(seconds, used)
    assert [(0, "pool", "raised", "warning")] == world.changes()
    world.count(10, 74)
    assert (10, "pool", "resolved", None) == world.changes()[-1]


def test_a_value_that_swings_between_two_levels_does_not_stay_silent() -> None:
    world = watched()
    for seconds in range(0, 60, 5):
        world.count(seconds, 85 if seconds % 2 else 95)
    assert (10, "pool", "raised", "warning") == world.changes()[0]


def test_the_end_of_the_grace_is_told_although_no_count_comes() -> None:
    world = watched(dwell_s=0, grace_days=2)
    world.count(0, 101)
    world.wait(86_400 * 2 - 1)
    assert [(0, "pool", "raised", "over")] == world.changes()
    world.wait(86_400 * 3)
    assert (86_400 * 2, "pool", "escalated", "over_grace") == world.changes()[-1]


def test_more_licences_do_not_begin_the_grace_anew_while_it_is_over() -> None:
    world = watched(dwell_s=0, grace_days=2)
    world.count(0, 120, 100)
    world.count(86_400, 120, 110)
    world.wait(86_400 * 2)
    assert [
        (0, "pool", "raised", "over"),
        (86_400, "pool", "raised", "over"),
        (86_400 * 2, "pool", "escalated", "over_grace"),
    ] == world.changes()


def test_another_pool_or_limit_arms_the_alert_anew_and_leaves_no_gap() -> None:
    world = watched()
    world.count(0, 85)
    world.wait(20)
    world.count(30, 85, 105)  # 81 % of a larger pool: still too full
    world.wait(39)
    assert 0 == world.level_at(39)
    world.wait(60)
    world.set(60, **(LIMITS | {"warning_percent": 81.0}))  # 81.0 %
    world.wait(80)
    world.set(80, **(LIMITS | {"warning_percent": 82.0}))
    world.wait(100)
    assert [
        (10, "pool", "raised", "warning"),
        (40, "pool", "raised", "warning"),
        (70, "pool", "raised", "warning"),
        (90, "pool", "resolved", None),
    ] == world.changes()
    assert 1 == len({told.since for told in world.told})


def test_absolute_limits_and_a_pool_of_nothing() -> None:
    world = Watched(warning_percent=None, critical_percent=100.0, warning_available=5, dwell_s=0, forecast_days=0)
    world.set(warning_percent=1_000.0, critical_percent=1_000.0, warning_available=5, dwell_s=0)
    world.count(1, 95)
    world.count(2, 94)
    world.count(3, 93)
    assert [(1, "pool", "raised", "warning"), (3, "pool", "resolved", None)] == world.changes()
    world.count(4, 3, 0)
    assert (4, "pool", "raised", "over") == world.changes()[-1]
    assert "3 of 0 licences are in use: 3 more than were bought." == world.told[-1].detail
    world.count(5, 3, None)
    assert (5, "pool", "resolved", None) == world.changes()[-1]


def test_hints_and_staleness_have_alerts_of_their_own() -> None:
    world = watched(dwell_s=0)
    hints = ["no_gateways", "sync_held", "source_failing", "few_teams_phone_licences"]
    world.count(0, 10, stale=True, hints=hints)
    assert ["stale", "sync_held", "sync_failing", "teams_phone"] == [told.rule for told in world.told]
    world.count(1, 10)
    assert 8 == len(world.told)
    assert {"resolved"} == {told.change for told in world.told[4:]}


def finding(seconds: float, rule: str, value: float | None, detail: str = "") -> Finding:
    at = from_ms(START_MS + round(seconds * 1_000))
    body = {"id": "f", "tenant": "acme", "by": "survey", "sent_at": at, "rule": rule, "value": value, "detail": detail}
    return Finding.model_validate(body)


def test_what_is_found_is_held_against_its_limit() -> None:
    world = watched(dwell_s=0, forecast_days=14)
    world.count(0, 10)
    for seconds, value in ((1, 20.0), (2, 14.0), (3, 12.0), (4, None)):
        world.alerts.found(finding(seconds, "forecast", value, f"In {value} days."), START_MS + seconds * 1_000)
    world.alerts.found(finding(5, "suspicious_tag", 2), START_MS + 5_000)
    world.wait(6)
    assert [
        (2, "forecast", "raised", "warning"),
        (4, "forecast", "resolved", None),
        (5, "suspicious_tag", "raised", "warning"),
    ] == world.changes()
    assert "In 14.0 days." == world.told[0].detail


def test_who_was_told_is_reminded_until_somebody_has_seen_it() -> None:
    world = watched(dwell_s=0, remind_after_s=100)
    world.count(0, 85)
    world.wait(250)
    acknowledged = AcknowledgeAlert(id="c", tenant="acme", by="ana", sent_at=from_ms(START_MS + 250_000), rule="pool")
    assert "done" == world.alerts.acknowledge(acknowledged, START_MS + 250_000).status
    assert "done" == world.alerts.acknowledge(acknowledged, START_MS + 251_000).status
    world.wait(1_000)
    world.count(1_001, 95)  # worse than what was seen
    world.wait(1_150)
    assert [
        (0, "pool", "raised", "warning"),
        (100, "pool", "reminded", "warning"),
        (200, "pool", "reminded", "warning"),
        (250, "pool", "acknowledged", "warning"),
        (1_001, "pool", "escalated", "critical"),
        (1_101, "pool", "reminded", "critical"),
    ] == world.changes()
    again = world.alerts.acknowledge(acknowledged, START_MS + 1_160_000)
    assert ("invalid", 6) == (again.status, len(world.told)), "what was seen was not this"
    assert [None] * 3 + ["ana"] + [None] * 2 == [told.acknowledged_by for told in world.told]


def test_what_is_not_open_cannot_be_acknowledged() -> None:
    command = AcknowledgeAlert(id="c", tenant="acme", by="ana", sent_at=from_ms(START_MS), rule="pool")
    answer = watched().alerts.acknowledge(command, START_MS)
    assert ("invalid", True) == (answer.status, "no open alert" in answer.detail)


def silences(*spans: tuple[float, float]) -> list[Silence]:
    return [
        Silence(since=from_ms(START_MS + round(since * 1_000)), until=from_ms(START_MS + round(until * 1_000)))
        for since, until in spans
    ]


def receivers(world: Watched) -> list[bool]:
    state = world.alerts.state("acme")
    assert state is not None
    return [bool(entry.channels) for entry in state.outbox]


def test_in_a_silence_alerts_are_kept_and_told_when_it_ends() -> None:
    world = watched(dwell_s=0, silences=silences((0, 50), (40, 100)))
    world.count(1, 85)
    world.wait(99)
    assert [False] == receivers(world)
    world.wait(200)
    assert [(1, "pool", "raised", "warning"), (100, "pool", "reminded", "warning")] == world.changes()
    assert [False, True] == receivers(world)


def test_the_end_of_what_people_were_told_of_is_told_in_a_silence_too_and_no_other() -> None:
    world = watched(dwell_s=0, silences=silences((10, 100)))
    for seconds, used in ((1, 85), (11, 95), (12, 10), (13, 85), (14, 10)):
        world.count(seconds, used)
    world.wait(200)
    assert ["raised", "escalated", "resolved", "raised", "resolved"] == [told.change for told in world.told]
    assert [True, False, True, False, False] == receivers(world)


def test_the_alerts_of_a_removed_tenant_end() -> None:
    world = watched(dwell_s=0)
    world.count(0, 120, stale=True)
    removed = world.book.rules_of("acme").settings.model_copy(
        update={"removed_at": from_ms(START_MS + 5_000), "updated_at": from_ms(START_MS + 5_000), "revision": 9}
    )
    world.book.apply(b"acme", removed.model_dump_json().encode())
    world.alerts.settings_changed("acme", START_MS + 5_000)
    world.count(6, 0, 100)
    assert [(5, "pool", "resolved", None), (5, "stale", "resolved", None)] == world.changes()[2:]
    assert "The tenant was removed." == world.told[-1].detail


def test_only_what_matters_is_written_and_it_says_all_of_it() -> None:
    world = watched()
    world.alerts.epoch = 7
    world.count(0, 10)
    assert [] == world.alerts.take_changed()
    world.count(1, 85)
    assert ["acme"] == world.alerts.take_changed()
    world.count(2, 86)
    assert [] == world.alerts.take_changed()
    state = world.alerts.state("acme")
    assert state is not None
    assert (7, 1) == (state.epoch, state.seq)
    again = AlertPartition(world.book, lambda *_: ("ops",))
    assert again.continue_from(decode_state(encode_state(state)))
    assert state == again.state("acme")


def test_of_two_states_the_newer_counts_wherever_it_stands() -> None:
    world = watched()
    world.alerts.epoch = 7
    world.count(1, 85)
    world.alerts.take_changed()
    state = world.alerts.state("acme")
    assert state is not None
    newer = decode_state(encode_state(state))
    newer.epoch, newer.seq, newer.outbox = 8, 0, []
    again = AlertPartition(world.book, lambda *_: ())
    assert [True, False] == [again.continue_from(newer), again.continue_from(state)]
    assert 8 == newer.epoch == (again.state("acme") or state).epoch


@pytest.mark.parametrize("used", [85, 120])
def test_a_count_from_before_a_start_raises_nothing_and_what_follows_goes_on_from_it(used: int) -> None:
    world = watched(dwell_s=0)
    world.alerts.recall(count_at(0, used, 100))
    world.wait(50)
    assert [] == world.changes()
    world.count(60, used)
    assert 1 == len(world.changes())


def test_the_outbox_keeps_a_message_until_its_channel_has_taken_it() -> None:
    world = watched(dwell_s=0)
    world.count(0, 85)
    state = world.alerts.state("acme")
    assert state is not None
    ((alert, channel, pending),) = outbox.untold(state)
    assert ("ops", 0) == (channel, pending.attempts)
    failed = Outcome(alert.id, "acme", "pool", "ops", "failed", 1, START_MS + 9_000, "no answer")
    told = outbox.settle(state, failed, START_MS)
    assert told is not None
    assert ("failed", 1, "no answer") == (told.state, told.attempts, told.error)
    assert not outbox.sweep(state)
    ((_, _, pending),) = outbox.untold(state)
    assert (1, START_MS + 9_000) == (pending.attempts, pending.due_ms)
    delivered = Outcome(alert.id, "acme", "pool", "ops", "delivered", 2)
    assert outbox.settle(state, delivered, START_MS) is not None
    assert outbox.settle(state, delivered, START_MS) is None
    assert outbox.sweep(state)
    assert [] == list(outbox.untold(state))
