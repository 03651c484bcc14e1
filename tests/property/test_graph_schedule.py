"""The schedule of Graph's tenants, whatever happens in whatever order: one errand of a tenant at a time, nothing that
was asked is lost, and nobody waits for ever."""

import heapq
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from types import FrameType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collectors.graph.schedule import COALESCE_S, Due, Schedule

POLL_S = 100.0
FULL_S = 1_000.0
TENANTS = ("a", "b", "c", "d")
USERS = ("u1", "u2", "u3")


@dataclass
class Known:
    """What is to be true of a tenant."""

    ailing: bool = False
    running: Due | None = None
    refreshes: set[str] = field(default_factory=set)
    """Asked for, and not yet ok."""
    users: set[str] = field(default_factory=set)
    """Told by notifications, and not yet looked at."""
    earliest: float = 0.0
    """What Graph said to wait for."""


class Scheduling(RuleBasedStateMachine):
    """Does anything to a schedule, and in the end lets everything go well."""

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        self.now = 1_000.0
        self.schedule = Schedule(POLL_S, FULL_S, Random(seed).random)
        self.known: dict[str, Known] = {}
        self.asked = 0

    @rule(tenant=st.sampled_from(TENANTS), resume=st.booleans())
    def add(self, tenant: str, resume: bool) -> None:
        self.schedule.add(tenant, self.now, resume=resume)
        self.known.setdefault(tenant, Known())

    @rule(tenant=st.sampled_from(TENANTS))
    def remove(self, tenant: str) -> None:
        self.schedule.remove(tenant)
        self.known.pop(tenant, None)

    @rule(tenant=st.sampled_from(TENANTS), named=st.booleans())
    def ask_full(self, tenant: str, named: bool) -> None:
        self.asked += 1
        refresh = f"r{self.asked}" if named else None
        self.schedule.ask_full(tenant, self.now, refresh)
        if refresh and tenant in self.known:
            self.known[tenant].refreshes.add(refresh)

    @rule(tenant=st.sampled_from(TENANTS), users=st.sets(st.sampled_from(USERS)), groups=st.booleans())
    def notify(self, tenant: str, users: set[str], groups: bool) -> None:
        self.schedule.notify(tenant, self.now, users, groups)
        if tenant in self.known:
            self.known[tenant].users |= users

    @rule(seconds=st.sampled_from((0.1, COALESCE_S, 7.0, 60.0, 110.0, 1_100.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(slots=st.integers(0, 3), ailing_slots=st.integers(0, 2))
    def take(self, slots: int, ailing_slots: int) -> None:
        taken = self.schedule.due(self.now, slots, ailing_slots)
        for due in taken:
            known = self.known[due.tenant]
            assert known.running is None, "one errand of a tenant at a time"
            assert known.earliest <= self.now, "not before Graph said"
            assert due.refresh is None or due.refresh in known.refreshes
            assert due.users <= known.users
            known.running = due
        ailing = sum(self.known[due.tenant].ailing for due in taken)
        assert len(taken) - ailing <= slots
        assert ailing <= ailing_slots

    @rule(
        tenant=st.sampled_from(TENANTS),
        ok=st.booleans(),
        retry_after_s=st.sampled_from((None, 5.0, 500.0)),
        full_wanted=st.booleans(),
    )
    def finish(self, tenant: str, ok: bool, retry_after_s: float | None, full_wanted: bool) -> None:
        known = self.known.get(tenant, Known())
        due, known.running = known.running, None
        errand = due.errand if due else "full"
        self.schedule.finished(
            tenant, self.now, errand=errand, ok=ok, retry_after_s=retry_after_s, full_wanted=full_wanted
        )
        if due is None:
            return
        known.earliest = self.now + (retry_after_s or 0.0)
        ok = ok and not (full_wanted and errand == "full")
        known.ailing = not ok
        if ok:
            known.refreshes.discard(due.refresh or "")
            known.users -= due.users

    @invariant()
    def knows_who_was_added_and_not_removed(self) -> None:
        if hasattr(self, "known"):
            assert set(self.known) == set(self.schedule.tenants())

    def teardown(self) -> None:
        """Nothing is lost: once all goes well, all that was asked is answered, and everybody goes on being polled."""
        if not hasattr(self, "known"):
            return
        for tenant in self.known:
            self.finish(tenant, ok=True, retry_after_s=None, full_wanted=False)
        polled: set[str] = set()
        until = self.now + 2 * FULL_S
        while self.now < until:
            running = self.schedule.due(self.now, 1, 1)
            for due in running:
                self.known[due.tenant].running = due
                self.finish(due.tenant, ok=True, retry_after_s=None, full_wanted=False)
                if due.errand == "delta" and not due.users and self.now > until - 3 * POLL_S:
                    polled.add(due.tenant)
            if not running:
                at = self.schedule.next_at()
                self.now = until if at is None else max(self.now, at)
        assert [] == [known for known in self.known.values() if known.refreshes or known.users]
        assert set(self.known) == polled


Scheduling.TestCase.settings = settings(stateful_step_count=60)
TestScheduling = Scheduling.TestCase


class Simulation:
    """Runs a schedule with few slots, by its own wakes alone; each errand takes some time."""

    def __init__(self, seed: int, slots: int, ailing_slots: int) -> None:
        self.random = Random(seed)
        self.schedule = Schedule(POLL_S, FULL_S, self.random.random)
        self.slots = [slots, ailing_slots]
        self.now = 0.0
        self.ran: list[tuple[float, Due]] = []
        self.broken: set[str] = set()
        self.ailing: set[str] = set()
        self.at: list[tuple[float, int, Any]] = []
        self.took_s = {"delta": 1.0, "full": 5.0}

    def later(self, at: float, call: Any) -> None:
        heapq.heappush(self.at, (at, len(self.ran) + len(self.at), call))

    def run(self, until: float) -> None:
        while self.now < until:
            for due in self.schedule.due(self.now, *self.slots):
                self._start(due)
            wake, event = self.schedule.next_at(), self.at[0][0] if self.at else None
            self.now = min(at for at in (wake, event, until) if at is not None)
            while self.at and self.at[0][0] <= self.now:
                heapq.heappop(self.at)[2]()

    def _start(self, due: Due) -> None:
        pool = int(due.tenant in self.ailing)
        self.slots[pool] -= 1
        self.ran.append((self.now, due))

        def finish() -> None:
            ok = due.tenant not in self.broken
            self.slots[pool] += 1
            (self.ailing.discard if ok else self.ailing.add)(due.tenant)
            self.schedule.finished(due.tenant, self.now, errand=due.errand, ok=ok)

        self.later(self.now + self.took_s[due.errand] * (1 + self.random.random()), finish)

    def starts(self, tenant: str) -> list[float]:
        """Return when it was asked for all its changes, or for everything."""
        return [at for at, due in self.ran if due.tenant == tenant and not due.users]

    def longest_gap(self, tenant: str) -> float:
        return max(after - before for before, after in pairwise([*self.starts(tenant), self.now]))


@given(
    seed=st.integers(0, 1_000),
    news=st.lists(st.tuples(st.floats(0, 900), st.sampled_from(TENANTS), st.sampled_from("rfn")), max_size=40),
)
def test_everybody_is_polled_in_time_whatever_else_is_asked(seed: int, news: list[tuple[float, str, str]]) -> None:
    simulation = Simulation(seed, slots=2, ailing_slots=1)
    schedule = simulation.schedule
    for tenant in TENANTS:
        schedule.add(tenant, 0.0, resume=seed % 2 == 0)
    for number, (at, tenant, what) in enumerate(news):

        def tell(number: int = number, tenant: str = tenant, what: str = what) -> None:
            if what == "n":
                schedule.notify(tenant, simulation.now, [f"u{number}"], groups=False)
            else:
                schedule.ask_full(tenant, simulation.now, f"r{number}" if what == "r" else None)

        simulation.later(at, tell)
    simulation.run(1_000.0)
    # At worst all that was asked is run before, by two at a time.
    queueing = 10.0 * (len(TENANTS) + len(news)) / 2
    for tenant in TENANTS:
        assert simulation.longest_gap(tenant) <= 1.1 * POLL_S + queueing


@given(seed=st.integers(0, 1_000))
@settings(max_examples=5)
def test_with_more_tenants_than_slots_every_kind_of_errand_moves_on(seed: int) -> None:
    simulation = Simulation(seed, slots=4, ailing_slots=2)
    simulation.took_s = {"delta": 1.0, "full": 8.0}
    tenants = [f"t{number}" for number in range(210)]
    for number, tenant in enumerate(tenants):
        simulation.schedule.add(tenant, 0.0, resume=number < 150)
    simulation.run(3_000.0)
    assert set(tenants) == {due.tenant for at, due in simulation.ran if due.errand == "full" and at < 1_500.0}
    polls = [len([at for at in simulation.starts(tenant) if at > 1_000.0]) for tenant in tenants]
    assert max(polls) <= min(polls) + 5
    # Half as much again is due as there are slots for.
    assert max(simulation.longest_gap(tenant) for tenant in tenants) <= 4 * POLL_S


@given(seed=st.integers(0, 1_000))
@settings(max_examples=5)
def test_tenants_that_fail_keep_nobody_waiting(seed: int) -> None:
    simulation = Simulation(seed, slots=2, ailing_slots=1)
    simulation.broken = {f"broken{number}" for number in range(100)}
    fine = [f"fine{number}" for number in range(10)]
    for tenant in sorted(simulation.broken):
        simulation.schedule.add(tenant, 0.0, resume=True)
    simulation.run(500.0)
    assert simulation.broken == simulation.ailing
    for tenant in fine:
        simulation.schedule.add(tenant, 500.0, resume=False)
    simulation.run(2_000.0)
    for tenant in fine:
        assert simulation.longest_gap(tenant) <= 1.1 * POLL_S + 60.0
    tried = {due.tenant for at, due in simulation.ran if at > 500.0}
    assert simulation.broken <= tried, "they take turns too"


def lines_run(tenants: int) -> int:
    """Return how many lines of Python a hundred errands take, which unlike seconds is always the same."""
    schedule, lines = Schedule(POLL_S, FULL_S, lambda: 0.5), 0
    for number in range(tenants):
        schedule.add(f"t{number}", 0.0, resume=True)
    schedule.due(0.0, 0, 0)

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for turn in range(100):
            [due] = schedule.due(3.0 * turn, 1, 0)
            schedule.finished(due.tenant, 3.0 * turn, errand=due.errand, ok=True)
            schedule.next_at()
    finally:
        sys.settrace(before)
    return lines


def test_an_errand_costs_the_same_among_ten_thousand_tenants() -> None:
    assert lines_run(10_000) <= 1.5 * lines_run(100)
