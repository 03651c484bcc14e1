"""The recount: newest wins, syncs outdate (LICENSE-FACTORS §5)."""

from datetime import UTC, datetime
from typing import Any

from licensing.factors import DIRECT_ROUTING, LOADED, OPERATOR_CONNECT, SERVICE_NUMBER, USER_INTERFACE
from licensing.recount import Observed, Synced, latest_facts, recount, tally_of
from schemas.settings import TenantSettings


def at(minute: int, second: int = 0, microsecond: int = 0) -> datetime:
    return datetime(2026, 1, 1, 12, minute, second, microsecond, tzinfo=UTC)


def seen(minute: int, source: str, facts: dict[str, Any] | None, facet: str = "voice") -> Observed:
    return Observed("user:a", facet, at(minute), source, facts)


def voice_after(observations: list[Observed], syncs: list[Synced]) -> dict[str, Any] | None:
    return latest_facts(observations, syncs)["user:a"]["voice"]


ON, OFF = {"enterprise_voice": True}, {"enterprise_voice": False}


def test_a_sync_sweeps_what_its_own_source_saw_before_it_began_and_nothing_else() -> None:
    assert voice_after([seen(1, "a", ON)], [Synced("voice", "a", at(2))]) is None
    assert voice_after([seen(2, "a", ON)], [Synced("voice", "a", at(2))]) == ON
    assert voice_after([seen(1, "a", ON)], [Synced("voice", "b", at(2))]) == ON
    assert voice_after([seen(1, "a", ON)], [Synced("lifecycle", "a", at(2))]) == ON


def test_an_older_observation_of_another_source_does_not_come_back_after_a_sweep() -> None:
    assert voice_after([seen(1, "b", ON), seen(2, "a", OFF)], [Synced("voice", "a", at(3))]) is None


def test_an_event_from_before_a_sync_of_its_source_counts_as_observed_and_cleared() -> None:
    late = [seen(1, "b", ON), seen(2, "a", ON)]
    assert voice_after(late, [Synced("voice", "a", at(3))]) is None


def test_of_several_syncs_of_a_source_the_latest_start_counts() -> None:
    syncs = [Synced("voice", "a", at(5)), Synced("voice", "a", at(1))]
    assert voice_after([seen(3, "a", ON)], syncs) is None


def test_facts_observed_before_1970_stand_until_a_sync_outdates_them() -> None:
    old = Observed("user:a", "voice", datetime(1969, 12, 31, tzinfo=UTC), "assumed", ON)
    assert voice_after([old], []) == ON
    assert voice_after([old], [Synced("voice", "assumed", at(0))]) is None


def test_on_a_tie_facts_beat_a_clear_and_instants_are_compared_in_milliseconds() -> None:
    assert voice_after([seen(1, "b", ON), seen(1, "c", None)], []) == ON
    within = Observed("user:a", "voice", at(1, 0, 999), "c", None)
    assert voice_after([seen(1, "b", ON), within], []) == ON
    after = Observed("user:a", "voice", at(1, 0, 1_000), "c", None)
    assert voice_after([seen(1, "b", ON), after], []) is None


def test_a_recount_of_the_vendors_example_gives_its_tally() -> None:
    facts: dict[str, dict[str, dict[str, Any] | None]] = {
        f"user:dr{number}": {"phone_number": {"number_type": "directRouting"}} for number in range(200)
    }
    facts |= {f"user:oc{number}": {"phone_number": {"number_type": "operatorConnect"}} for number in range(100)}
    facts |= {f"user:ui{number}": {"interface": {}} for number in range(50)}
    facts |= {f"number:{number}": {"dial_plan": {"tag": "fax"}} for number in range(20)}
    tally = tally_of(recount(facts, TenantSettings(tenant="t")))
    assert tally == {DIRECT_ROUTING: 200, OPERATOR_CONNECT: 100, USER_INTERFACE: 50, LOADED | SERVICE_NUMBER: 20}
