"""Errands where something is in the way: what was seen and not read, what is gone from the settings, who must wait."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from collectors.feed import publish_all
from collectors.graph import visit
from collectors.graph.api.clouds import Cloud, GraphTenant
from collectors.graph.api.errors import Call, UnavailableError
from collectors.graph.collector import GraphCollector
from collectors.graph.notify.subscriptions import Address, Kept
from collectors.graph.reading.collected import Collected
from collectors.graph.reading.parts import PartStates
from collectors.graph.schedule import Due, Schedule
from collectors.graph.visit import Visited
from collectors.outgoing import observation
from schemas.commands import Notified
from schemas.times import format_time
from tests.integration.graph.test_visits import Errands
from tests.integration.graph.world import World, hire
from tests.support.graph.answers import Answer
from tests.support.graph.faults import Fault
from tests.unit.collectors.importing import PARTITIONS, FailingHistory, events_of

NEVER = datetime.max.replace(tzinfo=UTC)
USER_TYPE = "#microsoft.graph.user"


def again(errands: Errands, tenant: GraphTenant | None = None, *template_groups: str) -> None:
    """Begin anew with other settings, or in another process, with what was written of the parts."""
    tenant, known = tenant or errands.held.tenant, list(errands.states.newest.values())
    errands.held = Collected(tenant, PartStates(tenant, errands.states, errands.now, known), template_groups)


def confirmed(world: World, since: int) -> list[str]:
    return [event["facet"] for event in events_of(world.published)[since:] if event["type"] == "facet_confirmed"]


@pytest.fixture
async def team(world: World) -> tuple[Errands, str, list[str]]:
    """Return a group of two that was read, and has two more to come."""
    users = [hire(world.acme, number, None) for number in range(4)]
    group = world.acme.add_group("TPL", users[:2])
    errands = Errands(world, group)
    for errand in ("full", "delta", "delta"):
        await errands.run(errand)
    return errands, group, users


@pytest.mark.parametrize("status", [403, 503])
async def test_a_change_of_a_group_that_could_not_be_read_is_read_the_next_time(
    world: World, team: tuple[Errands, str, list[str]], status: int
) -> None:
    errands, group, users = team
    world.acme.set_group_members(group, users[1:4])
    world.graph.faults.fail(40, status, path=f"/v1.0/groups/{group}")
    before = errands.events
    await errands.run("delta")
    assert "failing" == errands.state("groups")[0]
    assert "lifecycle" not in confirmed(world, before)
    world.graph.faults.clear()
    await errands.run("delta")
    assert world.held(group) == world.counted()


async def test_a_member_that_cannot_be_read_keeps_its_group_unread(
    world: World, team: tuple[Errands, str, list[str]]
) -> None:
    errands, group, users = team
    world.acme.set_group_members(group, users[1:4])
    nameless = Answer(200, {"value": [{"@odata.type": USER_TYPE}]})
    world.graph.faults.plan(Fault(1, f"/v1.0/groups/{group}/tr", None, nameless))
    await errands.run("delta")
    assert "failing" == errands.state("groups")[0]
    await errands.run("delta")
    assert ("ok", "") == errands.state("groups")
    assert world.held(group) == world.counted()


async def test_a_group_that_lost_most_is_held_and_asked_again_at_the_next_poll(world: World) -> None:
    users = [hire(world.acme, number, None) for number in range(40)]
    group = world.acme.add_group("TPL", users)
    errands = Errands(world, group)
    await errands.run("full")
    await errands.run("delta")
    world.acme.set_group_members(group, users[:5])
    await errands.run("delta")
    assert "held" == errands.state("groups")[0]
    assert 40 == len(world.counted())
    await errands.run("delta")
    assert world.held(group) == world.counted()


@pytest.mark.parametrize("first", ["empty", "malformed"])
async def test_members_of_groups_that_are_asked_for_no_more_are_swept_however_they_were_told(
    world: World, first: str
) -> None:
    users = [hire(world.acme, number, None) for number in range(4)]
    group = world.acme.add_group("TPL", [] if first == "empty" else users)
    errands = Errands(world, group)
    if first == "malformed":
        entries = [{"@odata.type": USER_TYPE, "id": user} for user in users]
        answer = Answer(200, {"value": [*entries, {"@odata.type": USER_TYPE}]})
        world.graph.faults.plan(Fault(99, f"/v1.0/groups/{group}/tr", None, answer))
    await errands.run("full")
    world.acme.set_group_members(group, users)
    await errands.run("delta")
    assert 4 == len(world.counted())
    again(errands)
    await errands.run("full")
    assert {} == world.counted()
    before = errands.events
    await errands.run("delta")
    assert "lifecycle" in confirmed(world, before)  # that nobody is in one is known, and stays fresh


async def test_what_never_was_asked_for_is_not_spoken_of(world: World) -> None:
    hire(world.acme, 1, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    await errands.run("delta")
    assert "lifecycle" not in {event.get("facet", event["type"]) for event in events_of(world.published)}


async def test_facts_of_another_directory_in_a_cloud_without_teams_are_swept(world: World) -> None:
    hire(world.acme, 1, "directRouting")
    account = world.acme.add_user()
    world.acme.set_voice(account, enabled=True, account_type="resourceAccount")
    world.acme.assign_number(account, "+33199009999")
    errands = Errands(world)
    await errands.run("full")
    assert 2 == len(world.counted())
    other = world.graph.add_tenant()
    hire(other, 5, None)
    again(errands, GraphTenant("acme", other.ms_tenant_id, Cloud("https://login", world.graph.origin, False)))
    assert errands.held.parts.cursor("users") is None
    await errands.run("full")
    assert {} == world.counted()
    assert {"skus", "users"} == errands.states.newest.keys()


async def test_numbers_wait_until_it_is_known_who_is_a_resource_account(world: World) -> None:
    account = world.acme.add_user()
    world.acme.set_licenses(account, "PHONESYSTEM_VIRTUALUSER")
    world.acme.assign_number(account, "+33199009999")
    del world.acme.configurations[account]  # Teams need not list it
    errands = Errands(world)
    await errands.run("full")
    counted = world.counted()
    assert {"number:+33199009999": "service_number"} == counted
    again(errands)
    world.graph.faults.fail(999, 403, path="/v1.0/users")
    await errands.run("full")
    await errands.run("delta")
    assert "failing" == errands.state("numbers")[0]
    assert counted == world.counted()
    world.graph.faults.clear()
    await errands.run("delta")
    assert ("ok", "") == errands.state("numbers")
    assert counted == world.counted()


async def test_a_held_sync_of_users_is_not_forgotten_over_a_failure(world: World) -> None:
    users = [hire(world.acme, number, "directRouting") for number in range(40)]
    errands = Errands(world)
    await errands.run("full")
    for user in users[:30]:
        world.acme.remove_user(user, hard=True)
    world.graph.faults.expire_delta_tokens(world.acme.ms_tenant_id)
    await errands.run("delta")
    assert "held" == errands.state("users")[0]
    world.graph.faults.fail(40, 503, path="/v1.0/users")
    await errands.run("delta")
    assert "failing" == errands.state("users")[0]
    world.graph.faults.clear()
    await errands.run("delta")
    assert "ok" == errands.state("users")[0]
    last = {run.facet: run.status for run in world.history.runs}
    assert ("confirmed", "confirmed") == (last["directory"], last["subscription"])


async def test_while_nobody_knows_earlier_syncs_nothing_is_swept_and_polls_go_on(world: World) -> None:
    users = [hire(world.acme, number, "directRouting") for number in range(3)]
    errands = Errands(world)
    await errands.run("full")
    errands.outlet = replace(world.outlet, history=FailingHistory())
    world.acme.remove_user(users[0], hard=True)
    assert Visited() == await errands.run("full")
    assert "failing" == errands.state("numbers")[0]
    late = hire(world.acme, 9, "operatorConnect")
    before = errands.events
    assert Visited() == await errands.run("delta")
    # what changed, and not the whole lists again
    assert {f"user:{late}", f"user:{users[0]}"} == {event["subject"] for event in errands.told(before)}
    errands.outlet = world.outlet
    await errands.run("delta")
    assert {"ok"} == {state.state for state in errands.states.newest.values()}
    assert world.held() == world.counted()
    asked = len(world.graph.requests)
    await errands.run("delta")
    assert len(world.graph.requests) - asked < 6  # judged, so that nothing is repeated any more


async def test_what_another_source_told_of_is_told_again(world: World) -> None:
    user = hire(world.acme, 1, "directRouting")
    errands = Errands(world)
    await errands.run("full")
    old = {"number": "+33199000001", "number_type": "callingPlan"}
    imported = observation("acme", "phone_number", f"user:{user}", format_time(errands.now()), "numbers-file", old)
    await publish_all([imported], world.published, PARTITIONS)
    assert {} == world.counted()
    await asyncio.sleep(0.002)  # its word and Graph's must not come within a millisecond
    errands.held.disturbed.add("phone_number")
    await errands.run("delta")
    assert world.held() == world.counted()
    errands.held.disturbed.add("directory")
    before = errands.events
    await errands.run("delta")
    assert ("directory", f"user:{user}") in {(event["type"], event["subject"]) for event in errands.told(before)}


async def test_a_refresh_is_answered_also_where_the_sign_in_is_refused(world: World) -> None:
    errands = Errands(world)
    await errands.run("full")
    world.tokens.refused = True
    await errands.visitor.visit(errands.held, Due("acme", "full", "by-hand", frozenset(), groups=False))
    assert {("failing", "by-hand")} == {(state.state, state.refresh) for state in errands.states.newest.values()}


class Keeping:
    """A collector whose subscriptions are kept by the test."""

    def __init__(self, world: World) -> None:
        self.errands = Errands(world)
        self.errands.visitor = visit.Visitor(
            world.client,
            lambda: world.outlet,
            self.errands.hints,
            Address("https://hooks.example", "k" * 20),
            Errands.now,
        )
        self.collector = GraphCollector(
            self.errands.visitor, Schedule(300, 86_400, lambda: 0.5), self.errands.states, Errands.now
        )
        self.collector.collect(world.tenant)
        self.held = self.collector._held["acme"]
        self.held.kept = Kept(frozenset({"s1"}), NEVER)

    def tell(self, event: str) -> None:
        self.collector.notified(
            Notified.model_validate(
                {"id": "1", "tenant": "acme", "by": "graph", "sent_at": format_time(Errands.now()), "source": "graph",
                 "subscription": "s1", "event": event}
            )
        )  # fmt: skip

    async def run(self) -> None:
        await self.errands.visitor.visit(self.held, Due("acme", "delta", None, frozenset(), groups=True))


async def test_a_subscription_that_is_removed_while_they_are_looked_after_is_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = Keeping(world)

    async def keep(*_: object) -> Kept:
        keeping.tell("removed")
        return Kept(frozenset({"s1"}), NEVER)

    monkeypatch.setattr(visit, "keep", keep)
    keeping.held.kept = None
    await keeping.run()
    assert keeping.held.kept is None


async def test_what_is_to_be_reauthorized_stays_so_until_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping = Keeping(world)
    answers = [UnavailableError(Call("acme", "PATCH /subscriptions/{id}")), None]

    async def reauthorize(*_: object) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    async def keep(*_: object) -> Kept:
        return Kept(frozenset({"s1"}), NEVER)

    monkeypatch.setattr(visit, "reauthorize", reauthorize)
    monkeypatch.setattr(visit, "keep", keep)
    keeping.tell("reauthorize")
    await keeping.run()
    assert {"s1"} == keeping.held.to_reauthorize
    await keeping.run()
    assert set() == keeping.held.to_reauthorize


async def test_a_refresh_that_comes_before_its_tenant_is_carried_out(world: World) -> None:
    keeping = Keeping(world)
    keeping.collector.leave("acme")
    keeping.collector.refresh("acme", "too-early")
    keeping.collector.collect(world.tenant)
    assert ["too-early"] == [due.refresh for due in keeping.collector._due()]
