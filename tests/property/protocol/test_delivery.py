"""The delivery protocol under everything that can happen to it: whatever the order of crashes, zombies, repeats and
changes of rules, the counts end as the recount of what was sent."""

from itertools import cycle
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

import streams.protocol.meter
from licensing.recount import Observed, Synced
from schemas.commands import ChangeSettings
from schemas.events import input_topic
from schemas.identifiers import partition_of, subject_key
from schemas.settings import TenantSettings
from schemas.times import format_ms, from_ms, to_ms
from schemas.topics import TopicName
from streams.protocol.effects import Item
from streams.protocol.refusals import HOP_HEADER
from streams.protocol.settings_commands import decide
from tests.property.protocol import checks  # isort: skip
from tests.property.protocol.events import BAD, BODIES, FACTS, SOURCES, TENANTS, as_json, facet_facts, observation
from tests.property.protocol.expected import Sent
from tests.property.protocol.processes import CounterProcess, MeterProcess
from tests.property.protocol.world import PARTITIONS, START_MS, Process, World

AGES_MS = st.integers(0, 40)
PLACES = st.integers(0, PARTITIONS - 1)
CHOICES = st.lists(st.integers(0, 200), min_size=1, max_size=12)
EFFECTS = st.integers(1, 25)
KINDS: Any = {"meter": MeterProcess, "counter": CounterProcess}
SETTLE_LIMIT = 300
SETTLING = [1, 2, 5]


class Delivery(RuleBasedStateMachine):
    """Two partitions, their meters and counters, and a world that is hard on them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.sent = Sent()

    # what is sent in

    def _at(self, tenant: str, age_ms: int) -> int:
        """While a tenant is removed only what was observed before is sent: of what is observed between removal and
        setting again, the contract leaves open whether it counts."""
        at_ms = max(START_MS, self.world.now_ms - age_ms)
        removed_at = self.sent.of(tenant).removed_at if self.sent.removed(tenant) else None
        return at_ms if removed_at is None else min(at_ms, to_ms(removed_at))

    def _send(self, topic: TopicName, partition: int, key: bytes, value: bytes, hop: bool = False) -> int:
        headers = ((HOP_HEADER, b"1"),) if hop else ()
        return self.world.log(topic, partition).append([Item(key, value, headers)], self.world.now_ms).base_offset

    @rule(
        tenant=st.sampled_from(TENANTS),
        events=st.lists(st.tuples(facet_facts(), AGES_MS, st.sampled_from(SOURCES)), min_size=1, max_size=4),
        times=st.sampled_from([1, 1, 1, 2]),
        astray=st.sampled_from([0, 0, 0, 0, 1]),
    )
    def observe(self, tenant: str, events: list[Any], times: int, astray: int) -> None:
        for (subject, facet, facts), age_ms, source in events:
            at_ms = self._at(tenant, age_ms)
            event = observation(tenant, subject, facet, at_ms, source, facts)
            key = subject_key(tenant, subject)
            partition = (partition_of(key, PARTITIONS) + astray) % PARTITIONS
            for _ in range(times):
                self._send(input_topic(facet), partition, key, as_json(event))
            self.sent.observe(tenant, Observed(subject, facet, from_ms(at_ms), source, facts))
        self.world.now_ms += 5

    @rule(
        tenant=st.sampled_from(TENANTS),
        topic=st.sampled_from(["user-changes", "assignments"]),
        place=PLACES,
        events=st.lists(st.tuples(facet_facts(), AGES_MS, st.sampled_from(SOURCES)), min_size=1, max_size=6),
        bad=st.lists(st.sampled_from(BAD[2:]), max_size=2),
    )
    def observe_in_an_array(
        self, tenant: str, topic: TopicName, place: int, events: list[Any], bad: list[tuple[bytes, str]]
    ) -> None:
        values = [value for value, _ in bad]
        for (subject, facet, facts), age_ms, source in events:
            here = partition_of(subject_key(tenant, subject), PARTITIONS) == place
            if input_topic(facet) == topic and here:
                at_ms = self._at(tenant, age_ms)
                values.append(as_json(observation(tenant, subject, facet, at_ms, source, facts)))
                self.sent.observe(tenant, Observed(subject, facet, from_ms(at_ms), source, facts))
        offset = self._send(topic, place, b"", b"[" + b",".join(values) + b"]")
        if bad:
            self.sent.bad[topic, place, offset] = {(index, reason) for index, (_, reason) in enumerate(bad)}

    @rule(
        tenant=st.sampled_from(TENANTS),
        facet=st.sampled_from(sorted(FACTS)),
        source=st.sampled_from(SOURCES),
        age_ms=AGES_MS,
        sweeps=st.booleans(),
    )
    def ask_a_source(self, tenant: str, facet: str, source: str, age_ms: int, sweeps: bool) -> None:
        at_ms = self._at(tenant, age_ms)
        kind, name = ("sync_completed", "started_at") if sweeps else ("facet_confirmed", "observed_at")
        event = {"type": kind, "tenant": tenant, "facet": facet, "source": source, name: format_ms(at_ms)}
        for partition in range(PARTITIONS):
            self._send(input_topic(facet), partition, tenant.encode(), as_json(event))
        if sweeps:
            self.sent.sync(tenant, Synced(facet, source, from_ms(at_ms)))
        else:
            self.sent.confirm(tenant, facet, source, from_ms(at_ms))
        self.world.now_ms += 5

    @rule(place=PLACES, topic=st.sampled_from(["user-changes", "assignments"]), bad=st.sampled_from(BAD))
    def send_rubbish(self, place: int, topic: TopicName, bad: tuple[bytes, str]) -> None:
        offset = self._send(topic, place, b"k", bad[0])
        self.sent.bad[topic, place, offset] = {(0, bad[1])}

    @rule(tenant=st.sampled_from(TENANTS), what=facet_facts())
    def send_astray_twice(self, tenant: str, what: Any) -> None:
        subject, facet, facts = what
        event = observation(tenant, subject, facet, self._at(tenant, 0), "graph", facts)
        place = (partition_of(subject_key(tenant, subject), PARTITIONS) + 1) % PARTITIONS
        offset = self._send(input_topic(facet), place, b"k", as_json(event), hop=True)
        self.sent.bad[input_topic(facet), place, offset] = {(0, "misrouted")}

    # settings

    @rule(tenant=st.sampled_from(TENANTS), mode=st.sampled_from(["put", "patch"]), body=st.sampled_from(BODIES))
    def set_tenant(self, tenant: str, mode: Any, body: dict[str, Any]) -> None:
        self._change(tenant, mode, body)

    @rule(tenant=st.sampled_from(TENANTS))
    def remove_tenant(self, tenant: str) -> None:
        self._change(tenant, "remove", {})

    def _change(self, tenant: str, mode: Any, body: dict[str, Any]) -> None:
        self.world.now_ms += 1
        command = ChangeSettings(
            id="c", tenant=tenant, by="ana", sent_at=from_ms(self.world.now_ms), mode=mode, body=body
        )
        decided, answer = decide(self.sent.settings.get(tenant), command, self.world.now_ms)
        assert answer.status == "done"
        assert isinstance(decided, TenantSettings)
        self.sent.revise(decided)
        key = tenant.encode()
        log = self.world.log("tenants", partition_of(key, PARTITIONS))
        log.append([Item(key, decided.model_dump_json().encode())], self.world.now_ms)
        self.world.now_ms = max(self.world.now_ms, to_ms(cast(Any, decided.updated_at))) + 1

    # what happens to the processes

    def _owner(self, kind: str, place: int) -> Process:
        return self.world.owner(kind, place, KINDS[kind])

    @rule(place=PLACES, effects=EFFECTS, choices=CHOICES)
    def meter(self, place: int, effects: int, choices: list[int]) -> None:
        self._run(self._owner("meter", place), effects, choices)

    @rule(place=PLACES, effects=EFFECTS, choices=CHOICES)
    def counter(self, place: int, effects: int, choices: list[int]) -> None:
        self._run(self._owner("counter", place), effects, choices)

    def _run(self, process: Process, effects: int, choices: list[int]) -> None:
        before = len(process.taken) if isinstance(process, CounterProcess) else 0
        self.world.run(process, effects, cycle(choices))
        if isinstance(process, CounterProcess):
            for count, tallies_read in process.taken[before:]:
                tallies = self.world.log("tallies", process.partition).read(0, tallies_read)
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
        self._settle()
        self.world.now_ms += 2 * 3_600_000
        for partition in range(PARTITIONS):
            self.world.log("meter-state-changelog", partition).compact(self.world.now_ms - 3_600_000)

    # the end

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
            if all([self._has_settled(process) for process in owners]):
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

    def _check(self, *, strictly: bool) -> None:
        checks.check_state(self.world, self.sent, self._meters())
        checks.check_freshness(self.world, self.sent)
        checks.check_counts(self.world, self.sent)
        checks.check_dead_letters(self.world, self.sent)
        checks.check_chains(self.world, self.sent, strictly)


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams.protocol.meter, "SLICE_EVENTS", 2)


Delivery.TestCase.settings = settings(
    max_examples=int(__import__("os").environ.get("N","200")), report_multiple_bugs=False, phases=[__import__("hypothesis").Phase.generate] if "NOSHRINK" in __import__("os").environ else list(__import__("hypothesis").Phase), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestDelivery = Delivery.TestCase
