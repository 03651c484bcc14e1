"""The delivery protocol under everything that can happen to it: whatever the order of crashes, zombies, repeats and
changes of rules, the counts end as the recount of what was sent."""

from itertools import cycle
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

import streams.protocol.meter
from licensing.recount import Observed
from schemas.events import input_topic
from schemas.identifiers import partition_of, subject_key
from schemas.times import from_ms
from schemas.topics import TopicName
from tests.property.protocol import checks
from tests.property.protocol.events import FACTS, TENANTS, as_json, observation
from tests.property.protocol.processes import CounterProcess, MeterProcess
from tests.property.protocol.sending import BODY, PLACES, SEEN, Sending
from tests.property.protocol.world import PARTITIONS, Process

CHOICES = st.lists(st.integers(0, 200), min_size=1, max_size=12)
EFFECTS = st.integers(1, 25)
KINDS: Any = {"meter": MeterProcess, "counter": CounterProcess}
COMPACTED: tuple[TopicName, ...] = ("meter-state-changelog", "tallies", "license-counts", "tenants")
SETTLE_LIMIT = 300
SETTLING = [1, 2, 5]


class Delivery(Sending):
    """Two partitions, their meters and counters, and a world that is hard on them."""

    def _owner(self, kind: str, place: int) -> Process:
        owner: Process = self.world.owner(kind, place, KINDS[kind])
        return owner

    @rule(place=PLACES, effects=EFFECTS, choices=CHOICES)
    def meter(self, place: int, effects: int, choices: list[int]) -> None:
        self._run(self._owner("meter", place), effects, choices)

    @rule(place=PLACES, effects=EFFECTS, choices=CHOICES)
    def counter(self, place: int, effects: int, choices: list[int]) -> None:
        self._run(self._owner("counter", place), effects, choices)

    def _run(self, process: Process, effects: int, choices: list[int]) -> None:
        before = len(process.taken) if isinstance(process, CounterProcess) else 0
        self.world.run(process, effects, cycle(choices))
        checks.check_tallied(self.world, self.sent)
        if isinstance(process, CounterProcess):
            for count, tallies_read in process.taken[before:]:
                tallies = self.world.log("tallies", process.partition).history[:tallies_read]
                checks.check_whole(tallies, self.sent, count)
            checks.check_versions([count for count, _ in process.taken])

    @rule(kind=st.sampled_from(["meter", "meter", "meter", "counter"]), place=PLACES)
    def crash(self, kind: str, place: int) -> None:
        self.world.lose(self._owner(kind, place))

    @rule(kind=st.sampled_from(["meter", "meter", "meter", "counter"]), place=PLACES, choices=CHOICES)
    def freeze(self, kind: str, place: int, choices: list[int]) -> None:
        """Stop a process, in the middle of a write where one comes soon."""
        process = self._owner(kind, place)
        for _ in range(15):
            if process.writing is not None or not self.world.owns(process):
                break
            self._run(process, 1, choices)
        if self.world.owns(process):
            self.world.freeze(process)

    @rule(which=st.integers(0, 3), effects=EFFECTS, choices=CHOICES, knows=st.booleans())
    def wake(self, which: int, effects: int, choices: list[int], knows: bool) -> None:
        """A frozen process goes on, until it hears that its partition is another's."""
        if self.world.zombies:
            zombie = self.world.zombies[which % len(self.world.zombies)]
            self._run(zombie, effects, choices)
            if knows:
                self.world.lose(zombie)

    @rule(
        tenant=st.sampled_from(TENANTS),
        events=SEEN,
        topic=st.sampled_from(["seat-changes", "meter-state-changelog", "meter-state-changelog", "tallies"]),
        place=PLACES,
        choices=CHOICES,
        later=SEEN,
        between=st.integers(10, 80),
        after=st.integers(1, 4),
        dies=st.booleans(),
    )
    def take_over(
        self,
        tenant: str,
        events: list[Any],
        topic: TopicName,
        place: int,
        choices: list[int],
        later: list[Any],
        between: int,
        after: int,
        dies: bool,
    ) -> None:
        """A meter freezes while it writes to a topic; what it wrote arrives after another has taken over."""
        self.send_all(tenant, events)
        process = self._owner("meter", place)
        for _ in range(60):
            if process.is_writing(topic) or not self.world.owns(process):
                break
            self._run(process, 1, choices)
        if self.world.owns(process):
            self.world.freeze(process)
            self.send_all(tenant, later)
            self._run(self._owner("meter", place), between, choices)
            self._run(process, after, choices)
            if dies:
                self.world.lose(self._owner("meter", place))

    @rule(
        tenant=st.sampled_from(TENANTS),
        body=BODY,
        facet=st.sampled_from(sorted(FACTS)),
        choices=CHOICES,
        effects=st.integers(1, 40),
        place=PLACES,
    )
    def die_while_following(
        self, tenant: str, body: dict[str, Any], facet: str, choices: list[int], effects: int, place: int
    ) -> None:
        """A meter dies somewhere on the way from one set of rules to another."""
        self.change(tenant, "put", body)
        self.ask(tenant, facet, "graph", 0, False)
        process = self._owner("meter", place)
        self._run(process, effects, choices)
        self.world.lose(process)

    @rule(kind=st.sampled_from(["meter", "counter"]), place=PLACES)
    def revoke(self, kind: str, place: int) -> None:
        """The group takes a partition away in good order: the job in hand ends, what is due is published."""
        process = self._owner(kind, place)
        for _ in range(SETTLE_LIMIT):
            if not self.world.owns(process) or not (process.busy or process.writing is not None):
                break
            self._run(process, 1, SETTLING)
        self.world.lose(process)

    @rule()
    def compact(self) -> None:
        """More than the compaction lag passes, in which every owner has looked after its log."""
        for zombie in [each for each in self.world.zombies if each.kind == "counter"]:
            self.world.lose(zombie)  # one that sleeps longer may find a snapshot's end before its compacted tallies
        self._settle()
        self.world.now_ms += 2 * 3_600_000
        for partition in range(PARTITIONS):
            for topic in COMPACTED:
                self.world.log(topic, partition).compact(self.world.now_ms - 3_600_000)

    def _settle(self) -> None:
        """Nothing more happens, and everyone comes to an end, and looks after its log as it does from time to time."""
        self._finish()
        for process in list(self.world.owners.values()):
            process.look_after_log()
        self._finish()

    def _finish(self) -> None:
        for _ in range(SETTLE_LIMIT):
            owners = [self._owner(kind, partition) for kind in KINDS for partition in range(PARTITIONS)]
            for process in owners:
                self.world.now_ms += 25
                self._run(process, 500, SETTLING)
            settled = [self._has_settled(process) for process in owners]
            if all(settled):
                return
        busy = [process for process in self.world.owners.values() if not self._has_settled(process)]
        raise AssertionError(f"the protocol does not come to an end: {[vars(process) for process in busy]}")

    def _has_settled(self, process: Process) -> bool:
        if not self.world.owns(process) or process.busy or not process.started:
            return False
        if isinstance(process, CounterProcess):
            return not process.behind
        assert isinstance(process, MeterProcess)
        process.find_vanished()
        return process.is_idle()

    def _meters(self) -> list[Any]:
        return [cast(MeterProcess, self._owner("meter", partition)).meter for partition in range(PARTITIONS)]

    def teardown(self) -> None:
        while self.world.zombies:
            self.world.lose(self.world.zombies[0])
        self._settle()
        self._check(strictly=False)
        self._touch_all()
        self._settle()
        self._check(strictly=True)

    def _touch_all(self) -> None:
        """Change every subject: what dead owners told of it, and no one told again for the rules had changed, is void
        from here on."""
        for number, (tenant, subject) in enumerate(sorted(self.sent.subjects())):
            facet = "interface" if subject.startswith("user:") else "dial_plan"
            at_ms, name = self.at(tenant, 0), "change" if facet == "interface" else "name"
            event = observation(tenant, subject, facet, at_ms, "graph", {name: f"touched {number}"})
            key = subject_key(tenant, subject)
            self.send(input_topic(facet), partition_of(key, PARTITIONS), key, as_json(event))
            self.sent.observe(tenant, Observed(subject, facet, from_ms(at_ms), "graph", event["facts"]))

    def _check(self, *, strictly: bool) -> None:
        checks.check_state(self.world, self.sent, self._meters())
        checks.check_freshness(self.world, self.sent)
        checks.check_counts(self.world, self.sent)
        checks.check_dead_letters(self.world, self.sent)
        checks.check_chains(self.world, self.sent, strictly)


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.meter, "SLICE_EVENTS", 1)
    monkeypatch.setattr(streams.protocol.meter, "SLICE_SUBJECTS", 1)


Delivery.TestCase.settings = settings(
    max_examples=300, stateful_step_count=40, report_multiple_bugs=False, suppress_health_check=list(HealthCheck)
)
TestDelivery = Delivery.TestCase


USER = (("user:a", "voice", {"gateway": "g1"}), 0, "graph")
NUMBER = (("number:1", "dial_plan", {"tag": "g1"}), 0, "graph")


def test_a_meter_that_wakes_in_its_claim_brings_back_nothing_of_a_removed_tenant() -> None:
    world = Delivery()
    world.compact()
    world.take_over(
        tenant="acme", events=[USER, NUMBER], later=[USER], topic="meter-state-changelog", place=0,
        choices=[1, 1, 0, 0, 0, 0], between=12, after=3, dies=True,
    )  # fmt: skip
    world.remove_tenant(tenant="acme")
    world.freeze(kind="meter", place=0, choices=[0])
    world.compact()
    world.wake(which=0, effects=4, knows=False, choices=[0])
    world.teardown()
