"""Errands to a tenant over real HTTP: what is asked, what goes out, what is told of the parts, whatever fails."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from collectors.errors import PublishFailedError
from collectors.graph.reading.collected import Collected
from collectors.graph.reading.parts import PartStates
from collectors.graph.reading.rounds import Outlet
from collectors.graph.schedule import Due, Errand
from collectors.graph.visit import Visited, Visitor
from collectors.publisher import MemoryPublisher, Offsets
from schemas.commands import SourceHint
from schemas.sources import Part, SourceState
from tests.integration.graph.world import NUMBER_KINDS, World, at_random, hire
from tests.unit.collectors.importing import PARTITIONS, events_of

TEAMS = "/v1.0/admin/teams"
LISTS = (f"{TEAMS}/userConfigurations", f"{TEAMS}/telephoneNumberManagement/numberAssignments")


@dataclass
class MemoryStates:
    """Keeps the states of parts in memory, and in which order they came."""

    written: list[SourceState] = field(default_factory=list)
    newest: dict[Part, SourceState] = field(default_factory=dict)

    async def write(self, state: SourceState) -> None:
        self.written.append(state)
        self.newest[state.part] = state

    async def forget(self, tenant: str, part: Part) -> None:
        del self.newest[part]


@dataclass
class MemoryHints:
    """Keeps the hints of a tenant."""

    told: list[list[SourceHint]] = field(default_factory=list)

    async def tell(self, tenant: str, hints: list[SourceHint]) -> None:
        self.told.append(hints)


class Errands:
    """A collector's memory of the world's tenant, and errands to it."""

    def __init__(self, world: World, *template_groups: str, beta: bool = False) -> None:
        self.world, self.states, self.hints = world, MemoryStates(), MemoryHints()
        self.outlet = world.outlet
        self.visitor = Visitor(world.client, lambda: self.outlet, self.hints, None, self.now, beta=beta)
        self.held = Collected(world.tenant, PartStates(world.tenant, self.states, self.now), template_groups)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def begin_anew(self, *template_groups: str) -> None:
        """Begin as with other settings, or in another process: with what was written of the parts."""
        parts = PartStates(self.world.tenant, self.states, self.now, list(self.states.newest.values()))
        self.held = Collected(self.world.tenant, parts, template_groups)

    async def run(self, errand: Errand, users: tuple[str, ...] = (), *, groups: bool = False) -> Visited:
        visited = await self.visitor.visit(self.held, Due("acme", errand, None, frozenset(users), groups))
        self.world.note_syncs()
        return visited

    def state(self, part: Part) -> tuple[str, str]:
        newest = self.states.newest[part]
        return newest.state, newest.reason

    def told(self, since: int) -> list[dict[str, Any]]:
        """Return the facts that went out since so many events."""
        return [event for event in events_of(self.world.published)[since:] if "subject" in event]

    @property
    def events(self) -> int:
        return len(events_of(self.world.published))


def state_of(part: Part) -> SourceState:
    now = datetime.now(UTC)
    return SourceState(tenant="acme", source="graph", part=part, facets=[], state="failing", since=now, at=now)


async def test_a_full_errand_tells_all_and_a_quiet_one_confirms_without_a_fact(world: World) -> None:
    for number in range(20):
        hire(world.acme, number, (*NUMBER_KINDS, None)[number % 4])
    team = world.acme.add_group("TPL", list(world.acme.users)[-2:])
    errands = Errands(world, team)
    assert Visited() == await errands.run("full")
    assert world.held(team) == world.counted()
    assert {"ok"} == {state.state for state in errands.states.newest.values()}
    assert errands.states.newest["users"].cursor
    before, written = errands.events, len(errands.states.written)
    assert Visited() == await errands.run("delta")
    assert [] == errands.told(before)
    confirmed = {event["facet"] for event in events_of(world.published)[before:]}
    assert {"directory", "subscription", "voice", "phone_number", "service_number", "lifecycle"} == confirmed
    assert [] == errands.states.written[written:]


async def test_a_poll_tells_what_differs_and_clears_what_is_gone(world: World) -> None:
    users = [hire(world.acme, number, "directRouting") for number in range(5)]
    errands = Errands(world)
    await errands.run("full")
    before = errands.events
    world.acme.unassign_number("+33199000000")
    world.acme.assign_number(users[1], "+33199000009", "operatorConnect", category="private")
    world.acme.set_voice(users[2], enabled=False)
    await errands.run("delta")
    told = {(event["type"], event["subject"]): event["facts"] for event in errands.told(before)}
    assert told[("phone_number", f"user:{users[0]}")] is None
    assert told[("voice", f"user:{users[2]}")] == {"enterprise_voice": False}
    assert {"phone_number", "voice"} == {facet for facet, _ in told}
    assert world.held() == world.counted()


async def test_a_notification_asks_for_the_user_alone(world: World) -> None:
    users = [hire(world.acme, number, "directRouting") for number in range(5)]
    late = hire(world.acme, 7, None)
    errands = Errands(world)
    await errands.run("full")
    world.acme.assign_number(late, "+33199000099")
    world.acme.unassign_number("+33199000000")
    world.graph.requests.clear()
    await errands.run("delta", (late, users[0]))
    assert not [
        request for request in world.graph.requests if request.path in LISTS and not request.query.get("$filter")
    ]
    counted = world.counted()
    assert counted[f"user:{late}"] == "direct_routing"
    assert f"user:{users[0]}" in counted  # what a question for some does not tell is not gone
    await errands.run("delta")
    assert world.held() == world.counted()


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_and_fails_the_count_is_the_tenants_after_one_quiet_errand(
    world: World, seed: int
) -> None:
    chance, faults, path = Random(seed), world.graph.faults, "/v1.0"
    for number in range(25):
        hire(world.acme, number, chance.choice((*NUMBER_KINDS, None)))
    nested = world.acme.add_group("Nested", list(world.acme.users)[:2])
    team = world.acme.add_group("TPL", [nested, *list(world.acme.users)[2:4]])
    teams: tuple[str, ...] = (team,)
    errands = Errands(world, *teams)
    for turn in range(16):
        at_random(world.acme, chance, turn)
        present = sorted(set(world.acme.users) - set(world.acme.removed))
        match chance.randrange(10):
            case 0:
                faults.throttle(2, path=path)
            case 1:
                faults.fail(2, 503, path=path)
            case 2:
                faults.damage(1, "broken_json", path=path)
            case 3:
                faults.between_pages(lambda: at_random(world.acme, chance, 100 + turn))  # noqa: B023
            case 4:
                faults.expire_delta_tokens(world.acme.ms_tenant_id, gone=chance.random() < 0.5)
            case 5:
                world.acme.set_group_members(nested, chance.sample(present, min(3, len(present))))
            case 6:
                faults.fail(1, 403, path=chance.choice(("/v1.0/admin", "/v1.0/users", "/v1.0/groups")))
            case 7:
                teams = () if teams else (team,)
                errands.begin_anew(*teams)  # other settings, or none
            case 8:
                errands.begin_anew(*teams)  # another process
            case _:
                world.graph.sign_in.revoke(world.acme.ms_tenant_id)
        errand: Errand = "full" if chance.random() < 0.3 else "delta"
        some = chance.sample(present, min(2, len(present))) if chance.random() < 0.4 else []
        await errands.run(errand, tuple(some) if errand == "delta" else ())
    faults.clear()
    await errands.run("delta" if errands.held.synced else "full")
    await errands.run("delta")  # where many have gone, the first is a question and the second the answer
    assert world.held(*teams) == world.counted()


async def test_a_lost_delta_token_is_a_full_sync_at_once(world: World) -> None:
    hire(world.acme, 1, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    for gone in (False, True):
        world.graph.faults.expire_delta_tokens(world.acme.ms_tenant_id, gone=gone)
        before = errands.states.newest["users"]
        assert Visited() == await errands.run("delta")
        after = errands.states.newest["users"]
        assert ("ok", True) == (after.state, (after.full_at or before.at) > before.at)


async def test_one_part_that_is_not_allowed_leaves_the_others_and_its_facts_alone(world: World) -> None:
    for number in range(3):
        hire(world.acme, number, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    counted = world.counted()
    world.acme.permissions.discard("TeamsTelephoneNumber.Read.All")
    before = errands.events
    hire(world.acme, 9, None)
    assert Visited() == await errands.run("delta")
    state, reason = errands.state("numbers")
    assert "failing" == state
    assert "TeamsTelephoneNumber.Read.All" in reason
    assert ["source_failing"] == errands.hints.told[-1]
    assert counted == world.counted()
    quiet = {event["facet"] for event in events_of(world.published)[before:] if event["type"] == "facet_confirmed"}
    assert {"directory", "subscription", "voice"} == quiet
    world.acme.permissions.add("TeamsTelephoneNumber.Read.All")
    world.graph.sign_in.revoke(world.acme.ms_tenant_id)
    await errands.run("delta")
    assert ("ok", "") == errands.state("numbers")
    assert [] == errands.hints.told[-1]


async def test_a_revoked_consent_is_said_of_every_part_and_is_worth_another_try(world: World) -> None:
    hire(world.acme, 1, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    counted = world.counted()
    world.tokens.refused = True
    assert not (await errands.run("delta")).ok
    assert {"failing"} == {errands.state(part)[0] for part in ("skus", "users", "accounts", "numbers")}
    assert counted == world.counted()


async def test_an_entry_that_cannot_be_read_sweeps_nothing_until_it_can(world: World) -> None:
    users = [hire(world.acme, number, "directRouting") for number in range(3)]
    errands = Errands(world)
    world.acme.numbers["+33199000001"]["telephoneNumber"] = "nonsense"
    await errands.run("full")
    assert "failing" == errands.state("numbers")[0]
    assert "telephoneNumber" in errands.state("numbers")[1]
    assert "nonsense" not in errands.state("numbers")[1]
    world.acme.unassign_number("+33199000000")
    await errands.run("delta")
    assert f"user:{users[0]}" in world.counted()
    world.acme.numbers["+33199000001"]["telephoneNumber"] = "+33199000001"
    await errands.run("delta")
    assert world.held() == world.counted()
    assert "ok" == errands.state("numbers")[0]


async def test_a_mistyped_template_group_empties_nobody(world: World) -> None:
    team = world.acme.add_group("TPL", [hire(world.acme, 1, None), hire(world.acme, 2, None)])
    errands = Errands(world, team)
    await errands.run("full")
    assert 2 == len(world.counted())
    other = Errands(world, team, "3e9d7b60-2f4c-4a8d-9b15-6c0e8f7a1d31")
    await other.run("full")
    assert "failing" == other.state("groups")[0]
    assert "3e9d7b60-2f4c-4a8d-9b15-6c0e8f7a1d31" in other.state("groups")[1]
    assert 2 == len(world.counted())


async def test_groups_that_are_no_template_groups_any_more_are_swept(world: World) -> None:
    team = world.acme.add_group("TPL", [hire(world.acme, 1, None), hire(world.acme, 2, None)])
    await Errands(world, team).run("full")
    assert 2 == len(world.counted())
    errands = Errands(world)
    errands.held.parts = PartStates(world.tenant, errands.states, errands.now, [state_of("groups")])
    await errands.states.write(state_of("groups"))
    await errands.run("full")
    assert {} == world.counted()
    assert {"skus", "users", "accounts", "numbers"} == errands.states.newest.keys()


async def test_nested_groups_are_watched_too(world: World) -> None:
    nested = world.acme.add_group("Nested", [hire(world.acme, 1, None)])
    team = world.acme.add_group("TPL", [nested])
    errands = Errands(world, team)
    await errands.run("full")
    await errands.run("delta")
    world.graph.requests.clear()
    await errands.run("delta")
    assert not [request for request in world.graph.requests if "transitiveMembers" in request.path]
    late = hire(world.acme, 2, None)
    world.acme.set_group_members(nested, [late])
    await errands.run("delta")
    assert {f"user:{late}": "lifecycle"} == world.counted()


async def test_a_resource_account_known_by_its_licence_alone_is_no_user(world: World) -> None:
    account = world.acme.add_user()
    world.acme.set_licenses(account, "PHONESYSTEM_VIRTUALUSER")
    world.acme.assign_number(account, "+33199000077")
    await Errands(world).run("full")
    assert {"number:+33199000077": "service_number"} == world.counted()


async def test_beta_tells_a_call_queue_from_an_auto_attendant(world: World) -> None:
    queue = world.acme.add_user()
    world.acme.set_voice(queue, enabled=False, account_type="resourceAccount")
    world.acme.applications[queue] = "11cd3e2e-fccb-42ad-ad00-878b93575e07"
    world.acme.assign_number(queue, "+33199000078", status="voiceApplicationAssigned")
    for beta, kind in ((False, "auto_attendant"), (True, "call_queue")):
        errands = Errands(world, beta=beta)
        before = errands.events
        await errands.run("full")
        kinds = [event["facts"]["kind"] for event in errands.told(before) if event["type"] == "service_number"]
        assert [kind] == kinds


async def test_a_place_in_the_changes_is_kept_only_after_the_broker_has_all_before_it(world: World) -> None:
    class Refusing(MemoryPublisher):
        async def flush(self) -> Offsets:
            raise PublishFailedError("the broker did not take it")

    hire(world.acme, 1, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    cursor = errands.states.newest["users"].cursor
    hire(world.acme, 2, "directRouting")
    errands.outlet = Outlet(Refusing(PARTITIONS), PARTITIONS, world.history, lambda: datetime.now(UTC))
    with pytest.raises(PublishFailedError):
        await errands.run("delta")
    assert cursor == errands.states.newest["users"].cursor
    errands.outlet = world.outlet
    await errands.run("delta")
    assert world.held() == world.counted()


async def test_a_list_that_shrinks_a_little_at_each_poll_is_judged_as_a_whole(world: World) -> None:
    for number in range(100):
        hire(world.acme, number, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    for start in (0, 25):
        for number in range(start, start + 25):
            world.acme.release_number(f"+3319900{number:04d}")
        await errands.run("delta")
    assert "held" == errands.state("numbers")[0]
    assert 75 == len(world.counted())
    await errands.run("delta")  # a second reading sees the same
    assert "ok" == errands.state("numbers")[0]
    assert world.held() == world.counted()
