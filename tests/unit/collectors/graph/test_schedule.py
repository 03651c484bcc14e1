"""Which tenant is due for what, and in which order."""

import pytest

from collectors.graph.schedule import COALESCE_S, Due, Errand, Schedule

POLL_S = 300.0
FULL_S = 86_400.0
MANY = 1_000


def schedule(draw: float = 0.5) -> Schedule:
    return Schedule(POLL_S, FULL_S, lambda: draw)


def full(tenant: str = "acme", refresh: str | None = None) -> Due:
    return Due(tenant, "full", refresh, frozenset(), groups=False)


def delta(tenant: str = "acme", *users: str, groups: bool = False) -> Due:
    return Due(tenant, "delta", None, frozenset(users), groups)


def settled(*tenants: str, draw: float = 0.5) -> Schedule:
    """Return a schedule whose tenants had a full errand at 0."""
    made = schedule(draw)
    for tenant in tenants or ("acme",):
        made.add(tenant, 0.0, resume=False)
    for due in made.due(0.0, MANY, 0):
        made.finished(due.tenant, 0.0, errand="full", ok=True)
    return made


def run(made: Schedule, now: float, *, ok: bool = True) -> list[Due]:
    """Run all that is due at once."""
    ran: list[Due] = []
    while due := made.due(now, MANY, MANY):
        ran += due
        for each in due:
            made.finished(each.tenant, now, errand=each.errand, ok=ok)
    return ran


@pytest.mark.parametrize(("resume", "expected"), [(False, [full()]), (True, [delta(), full()])])
def test_a_new_tenant_is_read_whole_after_what_changed_where_that_can_be_asked(
    resume: bool, expected: list[Due]
) -> None:
    made = schedule()
    assert made.next_at() is None
    made.add("acme", 5.0, resume=resume)
    assert 5.0 == made.next_at()
    assert [] == made.due(4.9, MANY, MANY)
    assert expected == run(made, 5.0)


def test_adding_a_known_tenant_changes_nothing() -> None:
    made = settled()
    made.add("acme", 1.0, resume=True)
    assert [] == run(made, 1.0)
    assert {"acme"} == made.tenants()


@pytest.mark.parametrize(("draw", "factor"), [(0.0, 0.9), (0.5, 1.0), (0.999_999, 1.1)])
def test_polls_follow_a_full_errand_and_each_other_at_about_the_interval(draw: float, factor: float) -> None:
    made = settled(draw=draw)
    for _ in range(3):
        before = made.next_at() or 0.0
        assert [delta()] == run(made, before)
        assert pytest.approx(before + POLL_S * factor, rel=1e-3) == made.next_at()


@pytest.mark.parametrize(("draw", "factor"), [(0.0, 0.95), (0.999_999, 1.05)])
def test_full_errands_follow_each_other_at_about_their_interval(draw: float, factor: float) -> None:
    made = settled(draw=draw)
    assert [delta()] == run(made, FULL_S * factor - 1.0)
    assert [full()] == run(made, FULL_S * factor + 1.0)
    assert [] == run(made, FULL_S * factor + 2.0)


def test_an_errand_under_way_is_not_handed_out_again_and_wakes_nobody() -> None:
    made = schedule()
    made.add("acme", 0.0, resume=False)
    assert [full()] == made.due(0.0, MANY, MANY)
    made.ask_full("acme", 1.0)
    made.notify("acme", 1.0, ["a"], groups=False)
    assert [] == made.due(9.0, MANY, MANY)
    assert made.next_at() is None
    made.finished("acme", 9.0, errand="full", ok=True)
    assert 1.0 == made.next_at()
    assert [delta("acme", "a"), full()] == run(made, 9.0)


def test_each_refresh_gets_a_full_errand_that_answers_it() -> None:
    made = settled()
    made.ask_full("acme", 1.0, "r1")
    made.ask_full("acme", 1.0, "r1")
    made.ask_full("acme", 2.0, "r2")
    made.ask_full("acme", 2.0)
    assert [full(refresh="r1"), full(refresh="r2")] == run(made, 2.0)
    made.ask_full("nobody", 3.0, "r3")
    assert [] == run(made, 3.0)


def test_a_refresh_that_fails_is_tried_again_and_one_asked_meanwhile_comes_after_it() -> None:
    made = settled()
    made.ask_full("acme", 1.0, "r1")
    assert [full(refresh="r1")] == made.due(1.0, MANY, MANY)
    made.ask_full("acme", 2.0, "r2")
    made.finished("acme", 3.0, errand="full", ok=False)
    assert [] == run(made, 4.0)
    assert [full(refresh="r1"), full(refresh="r2")] == run(made, made.next_at() or 0.0)


def test_notifications_within_a_short_while_go_into_one_errand_about_whom_they_name() -> None:
    made = settled()
    made.notify("acme", 10.0, ["a"], groups=False)
    made.notify("acme", 10.4, ["b"], groups=True)
    assert 10.0 + COALESCE_S == made.next_at()
    assert [] == made.due(10.4, MANY, MANY)
    assert [delta("acme", "a", "b", groups=True)] == run(made, 10.5)
    made.notify("acme", 11.0, ["c"], groups=False)
    assert [delta("acme", "c")] == run(made, 11.5)
    made.notify("nobody", 12.0, ["a"], groups=True)
    assert [] == run(made, 13.0)


def test_only_an_errand_about_everything_puts_off_the_next_poll() -> None:
    made = settled()
    made.notify("acme", 290.0, ["a"], groups=False)
    assert [delta("acme", "a")] == run(made, 290.5)
    assert [delta()] == run(made, 300.0)
    made.notify("acme", 590.0, [], groups=False)
    assert [delta()] == run(made, 590.5)
    assert [] == run(made, 600.0)
    assert 890.5 == made.next_at()


def test_notifications_before_changes_can_be_asked_for_wait_for_a_full_errand() -> None:
    made = schedule()
    made.add("acme", 0.0, resume=False)
    made.notify("acme", 0.0, ["a"], groups=False)
    [first] = made.due(1.0, MANY, MANY)
    made.finished("acme", 1.0, errand="full", ok=False)
    assert [full(), full(), delta("acme", "a")] == [first, *run(made, 200.0)]


@pytest.mark.parametrize(("draw", "jitter"), [(0.0, 0.8), (0.999_999, 1.0)])
def test_what_fails_is_tried_again_later_and_later_but_at_least_every_interval(draw: float, jitter: float) -> None:
    made = schedule(draw)
    made.add("acme", 0.0, resume=False)
    slots = (1, 0)
    for share in (0.2, 0.4, 0.8, 1.0, 1.0):
        at = made.next_at() or 0.0
        assert [full()] == made.due(at, *slots)
        made.finished("acme", at, errand="full", ok=False)
        slots = (0, 1)
        assert pytest.approx(at + POLL_S * share * jitter, rel=1e-3) == made.next_at()
        assert [] == made.due((made.next_at() or 0.0) - 0.01, MANY, MANY)
    assert [full()] == run(made, made.next_at() or 0.0)
    assert [delta()] == made.due(5_000.0, 1, 0), "one that was ok makes it healthy"


def test_after_a_failure_that_follows_a_success_the_back_off_is_short_again() -> None:
    made = settled(draw=0.0)
    for _ in range(2):
        at = made.next_at() or 0.0
        [_] = made.due(at, 1, 0)
        made.finished("acme", at, errand="delta", ok=False)
        assert pytest.approx(at + 48.0) == made.next_at()
        assert [delta()] == run(made, at + 48.0)


def test_a_tenant_that_rests_is_left_alone_but_for_a_refresh() -> None:
    made = settled()
    [_] = made.due(300.0, 1, 0)
    made.finished("acme", 300.0, errand="delta", ok=False)
    made.notify("acme", 301.0, ["a"], groups=False)
    made.ask_full("acme", 301.0)
    assert [] == made.due(320.0, MANY, MANY)
    made.ask_full("acme", 320.0, "r1")
    assert [full(refresh="r1")] == run(made, 320.0)
    assert [delta("acme", "a")] == run(made, 354.0)


@pytest.mark.parametrize("ok", [True, False])
def test_nothing_comes_before_the_time_that_graph_said(ok: bool) -> None:
    made = settled()
    [_] = made.due(300.0, 1, 0)
    made.notify("acme", 300.0, ["a"], groups=False)
    made.finished("acme", 300.0, errand="delta", ok=ok, retry_after_s=1_000.0)
    made.ask_full("acme", 301.0, "r1")
    assert 1_300.0 == made.next_at()
    assert [] == made.due(1_299.0, MANY, MANY)
    assert [full(refresh="r1"), delta("acme", "a")] == run(made, 1_300.0)


def test_a_failed_errand_for_notifications_keeps_whom_they_were_about() -> None:
    made = settled()
    made.notify("acme", 1.0, ["a"], groups=True)
    assert [delta("acme", "a", groups=True)] == made.due(2.0, 1, 0)
    made.notify("acme", 2.0, ["b"], groups=False)
    made.finished("acme", 2.0, errand="delta", ok=False)
    assert [delta("acme", "a", "b", groups=True)] == run(made, 100.0)


def test_polls_go_on_beside_full_errands_that_fail() -> None:
    made = settled()
    made.ask_full("acme", 1.0)
    [_] = made.due(1.0, 1, 0)
    made.finished("acme", 1.0, errand="full", ok=False)
    ran: list[Errand] = []
    for _ in range(12):
        at = made.next_at() or 0.0
        for due in made.due(at, 1, 1):
            ran.append(due.errand)
            made.finished("acme", at, errand=due.errand, ok=due.errand == "delta")
    assert 4 <= ran.count("delta")
    assert 4 <= ran.count("full")


def test_where_graph_cannot_tell_changes_a_full_errand_comes_at_once_and_polls_wait_for_one_that_is_ok() -> None:
    made = settled()
    [_] = made.due(300.0, 1, 0)
    made.finished("acme", 300.0, errand="delta", ok=True, full_wanted=True)
    assert 300.0 == made.next_at()
    for at in (300.0, 400.0, 800.0, 1_200.0):
        assert [full()] == made.due(at, 1, 1)
        made.finished("acme", at, errand="full", ok=False)
    assert [full()] == run(made, 2_000.0)
    assert [delta()] == run(made, 2_300.0)


def test_a_full_errand_that_wants_another_does_not_go_round_in_a_circle() -> None:
    made = settled()
    made.ask_full("acme", 1.0)
    [_] = made.due(1.0, 1, 0)
    made.finished("acme", 1.0, errand="full", ok=True, full_wanted=True)
    rested = 1.0 + POLL_S * 0.2 * 0.9
    assert [] == made.due(rested - 0.1, MANY, MANY)
    assert [full()] == made.due(rested + 0.1, 0, 1)


def test_who_fails_waits_apart_from_who_does_not() -> None:
    made = settled("acme", "beta")
    for due in made.due(300.0, 2, 0):
        made.finished(due.tenant, 300.0, errand="delta", ok=due.tenant == "beta")
    assert [] == made.due(600.0, 0, 0)
    assert [delta("acme")] == made.due(600.0, 0, MANY)
    assert [delta("beta")] == made.due(600.0, MANY, 0)
    made.finished("acme", 600.0, errand="delta", ok=True)
    assert [delta("acme")] == made.due(900.0, MANY, 0)


def test_a_tenant_that_waits_for_a_slot_moves_over_when_it_fails() -> None:
    made = settled()
    made.ask_full("acme", 300.0)
    assert [delta()] == made.due(300.0, 1, 1)
    made.finished("acme", 300.0, errand="delta", ok=False)
    assert [] == made.due(1_000.0, 1, 0)
    assert [delta()] == made.due(1_000.0, 0, 1)


def test_a_tenant_that_waits_for_a_slot_moves_back_when_it_is_well() -> None:
    made = settled()
    [_] = made.due(300.0, 1, 0)
    made.finished("acme", 300.0, errand="delta", ok=False)
    made.ask_full("acme", 301.0)
    assert [delta()] == made.due(400.0, 0, 1)
    made.finished("acme", 400.0, errand="delta", ok=True)
    assert [] == made.due(400.0, 0, 1)
    assert [full()] == made.due(400.0, 1, 0)


def test_what_waits_for_a_slot_is_no_reason_to_wake_up() -> None:
    made = settled("acme", "beta")
    assert 1 == len(made.due(300.0, 1, 0))
    assert [86_400.0] == [made.next_at()]


def test_a_removed_tenant_is_gone_also_while_under_way() -> None:
    made = settled("acme", "beta")
    [_] = made.due(300.0, 1, 0)
    made.remove("acme")
    made.remove("beta")
    made.remove("beta")
    for tenant in ("acme", "beta"):
        made.finished(tenant, 301.0, errand="delta", ok=False)
    assert (None, set()) == (made.next_at(), set(made.tenants()))
    made.add("acme", 302.0, resume=False)
    made.finished("acme", 302.0, errand="delta", ok=False)
    assert [full()] == made.due(302.0, MANY, 0)


def test_refreshes_go_first_then_notifications_then_polls_then_full_errands_and_the_longest_due_among_equals() -> None:
    made = settled("poll1", "notified", "poll2", "refreshed")
    made.add("new1", 250.0, resume=False)
    made.add("new2", 240.0, resume=False)
    made.notify("notified", 298.0, ["a"], groups=False)
    made.ask_full("refreshed", 299.0, "r1")
    ordered = [due.tenant for due in made.due(301.0, MANY, 0)]
    assert ["refreshed", "notified", "poll1", "poll2", "new2", "new1"] == ordered


def test_every_fourth_place_is_for_whoever_has_waited_longer_than_an_interval() -> None:
    made = settled(*(f"poll{number}" for number in range(8)))
    made.add("new1", 1.0, resume=False)
    made.add("new2", 2.0, resume=False)
    made.due(0.0, 0, 0)
    order = [due.tenant for due in made.due(302.5, MANY, 0)]
    assert ["new1", "new2"] == order[3::4][:2]
