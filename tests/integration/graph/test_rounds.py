"""Rounds against a Graph over real HTTP: what was published always adds up to what the tenant is."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import httpx
import msgspec
import pytest

from collectors.errors import PublishFailedError
from collectors.graph.client import GraphClient
from collectors.graph.clouds import Cloud, GraphTenant
from collectors.graph.errors import ForbiddenError, ResyncRequiredError
from collectors.graph.limits import Limits
from collectors.graph.rounds import Outlet, Round, delta_round, full_round
from collectors.graph.sources import Accounts, Numbers, Source, Users
from collectors.partitioner import Record
from collectors.publisher import MemoryPublisher, Offsets
from licensing.factors import ALL, counted_factor
from schemas.commands import SyncRun
from schemas.settings import TenantSettings
from tests.support.graph import FakeGraph, FakeTenant, served_graph
from tests.unit.collectors.importing import PARTITIONS, MemoryHistory, events_of, profiles_of

NUMBER_KINDS = ("directRouting", "operatorConnect", "callingPlan")


class IssuedTokens:
    """Has tokens without signing in: `test_fake_graph` and `test_tokens` look at that."""

    def __init__(self, graph: FakeGraph) -> None:
        self._graph = graph
        self._held: dict[str, str] = {}

    async def token(self, tenant: GraphTenant) -> str:
        if tenant.ms_tenant_id not in self._held:
            self._held[tenant.ms_tenant_id] = self._graph.sign_in.issue(tenant.ms_tenant_id)
        return self._held[tenant.ms_tenant_id]

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        del claims
        self._held.pop(tenant.ms_tenant_id)


@dataclass
class World:
    """A tenant in the fake, a client that reads it, and all that was published so far."""

    graph: FakeGraph
    acme: FakeTenant
    client: GraphClient
    published: MemoryPublisher = field(default_factory=lambda: MemoryPublisher(PARTITIONS))
    history: MemoryHistory = field(default_factory=MemoryHistory)

    @property
    def tenant(self) -> GraphTenant:
        return GraphTenant("acme", self.acme.ms_tenant_id, Cloud("https://login", self.graph.origin, True))

    @property
    def outlet(self) -> Outlet:
        return Outlet(self.published, PARTITIONS, self.history, lambda: datetime.now(UTC))

    async def full(self, source: Source) -> Round:
        brought = await full_round(self.client, self.tenant, source, self.outlet)
        for record in self.published.records:
            if record.topic == "commands":
                run = SyncRun.model_validate_json(record.value)
                self.history.runs = [other for other in self.history.runs if other.id != run.id] + [run]
        return brought

    async def full_of_all(self) -> list[Round]:
        accounts = Accounts()
        brought = [await self.full(Users({})), await self.full(accounts)]
        return [*brought, await self.full(Numbers(accounts.kinds))]

    def counted(self) -> dict[str, str]:
        """Return who is counted, and as what, by what was published."""
        profiles = profiles_of(events_of(self.published), TenantSettings(tenant="acme"))
        factors = {subject: counted_factor(profile, ALL) for subject, profile in profiles.items()}
        return {subject: factor.name for subject, factor in factors.items() if factor is not None}

    def held(self) -> dict[str, str]:
        """Return the same from what the tenant is."""
        expected = {}
        for number, row in self.acme.numbers.items():
            holder, status = row["assignmentTargetId"], row["assignmentStatus"]
            if status == "voiceApplicationAssigned":
                expected[f"number:{number}"] = "service_number"
            elif status == "userAssigned" and holder not in self.acme.removed:
                factor = {"directRouting": "direct_routing", "operatorConnect": "operator_connect"}
                voice = self.acme.configurations[holder]["isEnterpriseVoiceEnabled"]
                if row["numberType"] in factor and (voice or row["numberType"] == "operatorConnect"):
                    expected[f"user:{holder}"] = factor[row["numberType"]]
        return expected


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


@pytest.fixture
async def world(graph: FakeGraph) -> AsyncIterator[World]:
    async def at_once(_: float) -> None:
        """Do not wait: how long is `test_client`'s business."""

    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        client = GraphClient(http, IssuedTokens(graph), Limits(), sleep=at_once)
        yield World(graph, graph.add_tenant(), client)


def hire(tenant: FakeTenant, number: int, kind: str | None) -> str:
    user = tenant.add_user()
    if kind is not None:
        tenant.assign_number(user, f"+3319900{number:04d}", kind)  # type: ignore[arg-type]
    return user


def at_random(tenant: FakeTenant, chance: Random, turn: int) -> None:
    """Let something happen in a tenant."""
    present = sorted(set(tenant.users) - set(tenant.removed))
    what = chance.randrange(6)
    if what == 0 or not present:
        hire(tenant, 1_000 + turn, chance.choice((*NUMBER_KINDS, None)))
    elif what == 1:
        tenant.remove_user(chance.choice(present), hard=chance.random() < 0.5)
    elif what == 2 and "changed" in tenant.removed.values():
        tenant.restore_user(chance.choice([user for user, how in sorted(tenant.removed.items()) if how == "changed"]))
    elif what == 3 and tenant.numbers:
        tenant.unassign_number(chance.choice(sorted(tenant.numbers)))
    elif what == 4:
        tenant.set_voice(chance.choice(present), enabled=chance.random() < 0.5)
    else:
        tenant.change_user(chance.choice(present), displayName=f"Renamed {turn}")


async def test_full_rounds_tell_what_the_tenant_is(world: World) -> None:
    for number in range(30):
        hire(world.acme, number, (*NUMBER_KINDS, None)[number % 4])
    world.acme.assign_number(world.acme.add_user(), "+33199002000", status="voiceApplicationAssigned")
    brought = await world.full_of_all()
    assert world.held() == world.counted()
    assert {"direct_routing", "operator_connect", "service_number"} == set(world.counted().values())
    syncs = [sync for each in brought for sync in each.syncs if sync.seen]
    assert {"completed"} == {sync.status for sync in syncs}
    assert {"directory", "voice", "phone_number", "service_number"} <= {sync.facet for sync in syncs}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_and_whatever_fails_the_count_is_the_tenants_once_it_is_quiet(
    world: World, seed: int
) -> None:
    chance, faults, path = Random(seed), world.graph.faults, "/v1.0"
    for number in range(25):
        hire(world.acme, number, chance.choice((*NUMBER_KINDS, None)))
    link = (await world.full_of_all())[0].delta_link
    for turn in range(12):
        at_random(world.acme, chance, turn)
        match chance.randrange(5):
            case 0:
                faults.throttle(1, path=path)
            case 1:
                faults.fail(1, 503, path=path)
            case 2:
                faults.damage(1, "broken_json", path=path)
            case 3:
                faults.between_pages(lambda: at_random(world.acme, chance, 100 + turn))  # noqa: B023
            case _:
                world.graph.sign_in.revoke(world.acme.ms_tenant_id)
        assert link is not None
        link = (await delta_round(world.client, world.tenant, Users({}), world.outlet, link)).delta_link
    faults.clear()
    await world.full_of_all()
    await world.full_of_all()  # where many have gone the guard holds the first
    assert world.held() == world.counted()


async def test_a_delta_round_tells_what_changed_and_confirms_the_rest(world: World) -> None:
    user = hire(world.acme, 1, None)
    hire(world.acme, 2, None)
    link = (await world.full(Users({}))).delta_link
    assert link is not None
    before = len(events_of(world.published))
    world.acme.change_user(user, accountEnabled=False)
    brought = await delta_round(world.client, world.tenant, Users({}), world.outlet, link)
    told = events_of(world.published)[before:]
    assert {f"user:{user}"} == {event["subject"] for event in told if "subject" in event}
    confirmed = [event["facet"] for event in told if event["type"] == "facet_confirmed"]
    assert {"directory": PARTITIONS, "subscription": PARTITIONS} == {
        facet: confirmed.count(facet) for facet in confirmed
    }
    assert brought.delta_link not in (None, link)


async def test_an_expired_link_asks_for_a_full_round(world: World) -> None:
    hire(world.acme, 1, None)
    link = (await world.full(Users({}))).delta_link
    assert link is not None
    world.graph.faults.expire_delta_tokens(world.acme.ms_tenant_id)
    with pytest.raises(ResyncRequiredError):
        await delta_round(world.client, world.tenant, Users({}), world.outlet, link)


async def test_a_round_that_is_cut_short_sweeps_nothing(world: World) -> None:
    for number in range(3):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    world.acme.permissions.clear()
    with pytest.raises(ForbiddenError):
        await world.full(Users({}))
    assert counted == world.counted()


async def test_an_empty_answer_does_not_empty_a_tenant(world: World) -> None:
    for number in range(40):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    for released in sorted(world.acme.numbers):
        world.acme.release_number(released)
    emptied = (await world.full_of_all())[2]
    assert {"empty"} == {sync.status for sync in emptied.syncs}
    assert counted == world.counted()


async def test_most_gone_at_once_is_held_until_seen_again(world: World) -> None:
    for number in range(40):
        hire(world.acme, number, "directRouting")
    await world.full_of_all()
    counted = world.counted()
    for released in sorted(world.acme.numbers)[5:]:
        world.acme.release_number(released)
    held = (await world.full_of_all())[2]
    assert "held" in {sync.status for sync in held.syncs}
    assert counted == world.counted()
    await world.full_of_all()
    assert world.held() == world.counted()
    assert 5 == len(world.counted())


async def test_what_the_broker_did_not_take_completes_nothing(world: World) -> None:
    class Refusing(MemoryPublisher):
        async def flush(self) -> Offsets:
            raise PublishFailedError("the broker did not take it")

    hire(world.acme, 1, "directRouting")
    outlet = Outlet(Refusing(PARTITIONS), PARTITIONS, world.history, lambda: datetime.now(UTC))
    with pytest.raises(PublishFailedError):
        await full_round(world.client, world.tenant, Users({}), outlet)
    records: list[Record] = outlet.publisher.records  # type: ignore[attr-defined]
    assert not any("sync_completed" in str(msgspec.json.decode(record.value)) for record in records)
