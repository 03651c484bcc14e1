"""Owns what the state machine sends in: events good and bad, on their way and astray, syncs, and settings."""

from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

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
from tests.property.protocol.events import BAD, BODIES, FACTS, SOURCES, TENANTS, as_json, facet_facts, observation
from tests.property.protocol.expected import Sent
from tests.property.protocol.world import PARTITIONS, START_MS, World

AGES_MS = st.integers(0, 40)
PLACES = st.integers(0, PARTITIONS - 1)
INPUTS = st.sampled_from(["user-changes", "assignments"])
SEEN = st.lists(st.tuples(facet_facts(), AGES_MS, st.sampled_from(SOURCES)), min_size=1, max_size=5)
BODY = st.sampled_from(BODIES)


class Sending(RuleBasedStateMachine):
    """The rules of what is sent in, each noted in `sent`."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.sent = Sent()

    def at(self, tenant: str, age_ms: int) -> int:
        """While a tenant is removed only what was observed before is sent: of what is observed between removal and
        setting again, the contract leaves open whether it counts."""
        at_ms = max(START_MS, self.world.now_ms - age_ms)
        removed_at = self.sent.of(tenant).removed_at if self.sent.removed(tenant) else None
        return at_ms if removed_at is None else min(at_ms, to_ms(removed_at))

    def send(self, topic: str, partition: int, key: bytes, value: bytes, hop: bool = False) -> int:
        headers = ((HOP_HEADER, b"1"),) if hop else ()
        return (
            self.world.log(cast(TopicName, topic), partition)
            .append([Item(key, value, headers)], self.world.now_ms)
            .base_offset
        )

    @rule(
        tenant=st.sampled_from(TENANTS),
        events=SEEN,
        times=st.sampled_from([1, 1, 1, 2]),
        astray=st.sampled_from([0, 0, 0, 0, 1]),
    )
    def observe(self, tenant: str, events: list[Any], times: int, astray: int) -> None:
        self.send_all(tenant, events, times, astray)

    def send_all(self, tenant: str, events: list[Any], times: int = 1, astray: int = 0) -> None:
        """Send observations so many times, to their partition or to another."""
        for (subject, facet, facts), age_ms, source in events:
            at_ms = self.at(tenant, age_ms)
            event = observation(tenant, subject, facet, at_ms, source, facts)
            key = subject_key(tenant, subject)
            partition = (partition_of(key, PARTITIONS) + astray) % PARTITIONS
            for _ in range(times):
                self.send(input_topic(facet), partition, key, as_json(event))
            self.sent.observe(tenant, Observed(subject, facet, from_ms(at_ms), source, facts))
        self.world.now_ms += 5

    @rule(
        tenant=st.sampled_from(TENANTS),
        topic=INPUTS,
        place=PLACES,
        events=SEEN,
        bad=st.lists(st.sampled_from(BAD[2:]), max_size=2),
    )
    def observe_in_an_array(
        self, tenant: str, topic: TopicName, place: int, events: list[Any], bad: list[tuple[bytes, str]]
    ) -> None:
        values = [value for value, _ in bad]
        for (subject, facet, facts), age_ms, source in events:
            here = partition_of(subject_key(tenant, subject), PARTITIONS) == place
            if input_topic(facet) == topic and here:
                at_ms = self.at(tenant, age_ms)
                values.append(as_json(observation(tenant, subject, facet, at_ms, source, facts)))
                self.sent.observe(tenant, Observed(subject, facet, from_ms(at_ms), source, facts))
        offset = self.send(topic, place, b"", b"[" + b",".join(values) + b"]")
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
        self.ask(tenant, facet, source, age_ms, sweeps)

    def ask(self, tenant: str, facet: str, source: str, age_ms: int, sweeps: bool) -> None:
        """Send a sync or a confirmation to every partition."""
        at_ms = self.at(tenant, age_ms)
        kind, name = ("sync_completed", "started_at") if sweeps else ("facet_confirmed", "observed_at")
        event = {"type": kind, "tenant": tenant, "facet": facet, "source": source, name: format_ms(at_ms)}
        for partition in range(PARTITIONS):
            self.send(input_topic(facet), partition, tenant.encode(), as_json(event))
        if sweeps:
            self.sent.sync(tenant, Synced(facet, source, from_ms(at_ms)))
        else:
            self.sent.confirm(tenant, facet, source, from_ms(at_ms))
        self.world.now_ms += 5

    @rule(place=PLACES, topic=INPUTS, bad=st.sampled_from(BAD))
    def send_rubbish(self, place: int, topic: TopicName, bad: tuple[bytes, str]) -> None:
        offset = self.send(topic, place, b"k", bad[0])
        self.sent.bad[topic, place, offset] = {(0, bad[1])}

    @rule(tenant=st.sampled_from(TENANTS), what=facet_facts())
    def send_astray_twice(self, tenant: str, what: Any) -> None:
        subject, facet, facts = what
        event = observation(tenant, subject, facet, self.at(tenant, 0), "graph", facts)
        place = (partition_of(subject_key(tenant, subject), PARTITIONS) + 1) % PARTITIONS
        offset = self.send(input_topic(facet), place, b"k", as_json(event), hop=True)
        self.sent.bad[input_topic(facet), place, offset] = {(0, "misrouted")}

    # settings

    @rule(tenant=st.sampled_from(TENANTS), mode=st.sampled_from(["put", "patch"]), body=BODY)
    def set_tenant(self, tenant: str, mode: Any, body: dict[str, Any]) -> None:
        self.change(tenant, mode, body)

    @rule(tenant=st.sampled_from(TENANTS))
    def remove_tenant(self, tenant: str) -> None:
        self.change(tenant, "remove", {})

    def change(self, tenant: str, mode: Any, body: dict[str, Any]) -> None:
        self.world.now_ms += 1
        command = ChangeSettings(
            id="c", tenant=tenant, by="ana", sent_at=from_ms(self.world.now_ms), mode=mode, body=body
        )
        was_removed = self.sent.removed(tenant)
        decided, answer = decide(self.sent.settings.get(tenant), command, self.world.now_ms)
        assert answer.status == "done"
        assert isinstance(decided, TenantSettings)
        self.sent.revise(decided)
        key = tenant.encode()
        log = self.world.log("tenants", partition_of(key, PARTITIONS))
        log.append([Item(key, decided.model_dump_json().encode())], self.world.now_ms)
        self.world.now_ms = max(self.world.now_ms, to_ms(cast(Any, decided.updated_at))) + 1
        if was_removed:  # what is sent before every meter has heard that the tenant is back becomes dead letters
            for process in [*self.world.owners.values(), *self.world.zombies]:
                process.follow_settings()
