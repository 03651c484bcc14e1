"""Whose tenants a collector has, when partitions come and go, settings change and the broker is away."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.errors import PublishFailedError
from collectors.graph.api.clouds import CLOUDS, GraphTenant
from collectors.graph.collector import GraphCollector
from runtime import graph_roster
from runtime.graph_roster import Roster
from schemas.identifiers import partition_of
from schemas.settings import Graph, TenantSettings
from schemas.sources import Part, SourceState, source_key
from streams.kafka import KafkaOptions
from streams.protocol.settings_book import SettingsBook

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PARTITIONS = 4
GUID = "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"
TENANTS = [f"t{number}" for number in range(12)]


class NotedCollector(GraphCollector):
    """Notes what it is given."""

    def __init__(self) -> None:
        self.collected: dict[str, list[SourceState]] = {}
        self.forgotten: list[str] = []
        self.left: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.away = 0

    def collect(
        self, tenant: GraphTenant, template_groups: Iterable[str] = (), known: Iterable[SourceState] = ()
    ) -> None:
        self.collected[tenant.tenant] = list(known)

    def leave(self, tenant: str) -> None:
        self.left.append(tenant)
        self.collected.pop(tenant, None)

    def states(self, tenant: str) -> list[SourceState]:
        return []

    async def forget(self, tenant: str, known: Iterable[SourceState] = ()) -> None:
        if self.away:
            self.away -= 1
            raise PublishFailedError("the broker is away")
        self.forgotten.append(tenant)

    def disturbed(self, tenant: str, facet: str) -> None:
        self.told.append((tenant, facet))


class Written:
    """Keeps the states that the roster itself writes."""

    def __init__(self) -> None:
        self.states: list[SourceState] = []

    async def write(self, state: SourceState) -> None:
        self.states.append(state)

    async def forget(self, tenant: str, part: Part) -> None:
        """Nothing is forgotten here."""


@dataclass
class Desk:
    """A roster, its book of settings, and a log of states that it reads."""

    collector: NotedCollector = field(default_factory=NotedCollector)
    states: Written = field(default_factory=Written)
    book: SettingsBook = field(default_factory=SettingsBook)
    failures: list[BaseException] = field(default_factory=list)
    log: dict[int, list[SourceState]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        options = KafkaOptions("127.0.0.1:1", partitions=PARTITIONS)
        self.roster = Roster(self.collector, self.states, self.book, options, CLOUDS, lambda: NOW, self.failures.append)

    def set(self, name: str, **settings: Any) -> None:
        body = TenantSettings(tenant=name, revision=1, **settings).model_dump_json()
        self.book.apply(name.encode(), body.encode())

    async def read(self, options: Any, topic: str, partition: int) -> AsyncIterator[list[Any]]:
        found = self.log.get(partition, [])
        yield [
            SimpleNamespace(key=source_key(state.tenant, "graph", state.part), value=state.model_dump_json().encode())
            for state in found
        ]

    async def assign(self, *partitions: int) -> None:
        everything = [SimpleNamespace(partition=number) for number in range(PARTITIONS)]
        await self.roster.on_partitions_revoked(everything)
        await self.roster.on_partitions_assigned([SimpleNamespace(partition=number) for number in partitions])
        await self.turn()

    async def turn(self) -> None:
        for _ in range(200):
            await asyncio.sleep(0)


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    own = Desk()
    for name in TENANTS:
        own.set(name, graph=Graph(), ms_tenant_id=GUID)
    monkeypatch.setattr(graph_roster, "read_from", own.read)
    monkeypatch.setattr(graph_roster, "AGAIN_S", 0)
    following = asyncio.create_task(own.roster.follow_settings())
    yield own
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


def of(*partitions: int) -> set[str]:
    return {name for name in TENANTS if partition_of(name.encode(), PARTITIONS) in partitions}


async def test_a_collector_has_the_tenants_of_its_partitions(desk: Desk) -> None:
    await desk.assign(0, 2)
    assert of(0, 2) == desk.collector.collected.keys()


async def test_what_stays_in_a_rebalance_goes_on_undisturbed(desk: Desk) -> None:
    await desk.assign(0, 1)
    desk.collector.collected.clear()
    await desk.assign(1, 2)
    assert of(2) == desk.collector.collected.keys()
    assert of(0) == set(desk.collector.left)


async def test_a_tenant_comes_with_what_its_last_collector_wrote(desk: Desk) -> None:
    name = min(of(3))
    state = SourceState(tenant=name, source="graph", part="users", facets=[], state="ok", since=NOW, at=NOW, cursor="x")
    desk.log[3] = [state]
    await desk.assign(3)
    assert [state] == desk.collector.collected[name]


async def test_a_tenant_without_graph_is_forgotten_and_one_without_a_directory_says_why(desk: Desk) -> None:
    first, second = sorted(of(1))[:2]
    await desk.assign(1)
    desk.book.apply(first.encode(), TenantSettings(tenant=first, revision=2).model_dump_json().encode())
    desk.book.apply(
        second.encode(), TenantSettings(tenant=second, revision=2, graph=Graph()).model_dump_json().encode()
    )
    for name in (first, second):
        desk.roster.settings_changed(name)
    await desk.turn()
    assert first in desk.collector.forgotten
    assert [(second, "failing")] == [(state.tenant, state.state) for state in desk.states.states]
    assert f"poolwatch tenant set {second}" in desk.states.states[0].reason


async def test_a_broker_that_is_away_for_a_moment_loses_no_setting(desk: Desk) -> None:
    name = min(of(1))
    await desk.assign(1)
    desk.collector.away = 3
    desk.book.apply(name.encode(), TenantSettings(tenant=name, revision=2).model_dump_json().encode())
    desk.roster.settings_changed(name)
    await desk.turn()
    assert name in desk.collector.forgotten
    assert [] == desk.failures


async def test_partitions_that_cannot_be_read_end_the_process(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("unreadable")

    monkeypatch.setattr(graph_roster, "read_from", broken)
    await desk.assign(1)
    assert ["unreadable"] == [str(error) for error in desk.failures]


async def test_a_sync_of_another_source_is_passed_on_and_our_own_is_not(desk: Desk) -> None:
    run = (
        '{"type":"sync_run","id":"1","tenant":"acme","by":"import","sent_at":"2026-11-24T12:00:00Z","facet":"voice",'
        '"source":"%s","started_at":"2026-11-24T12:00:00Z","seen":1,"expected":null,"status":"completed"}'
    )
    for source in ("users-file", "graph"):
        desk.roster.take((run % source).encode())
    desk.roster.take(b'{"type":"refresh"')
    desk.roster.take(None)
    assert [("acme", "voice")] == desk.collector.told
