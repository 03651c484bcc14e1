"""Subscriptions to a Graph over real HTTP, and our receiver on the other end of them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from collectors.errors import PublishFailedError
from collectors.graph.api.errors import ForbiddenError, GoneError, GraphError
from collectors.graph.notify.notifications import LONGEST_BODY_BYTES, receiver
from collectors.graph.notify.subscriptions import LIFE, RESOURCES, Address, Kept, client_state, keep, reauthorize
from runtime.web_server import serve
from schemas.commands import Notified
from schemas.times import format_time
from tests.integration.graph.world import World
from tests.support.graph.faults import Fault
from tests.support.ports import HOST, free_port
from tests.support.waiting import eventually_async

KEY = "invented-notification-key"


@dataclass
class Desk:
    """Where the receiver's commands arrive. The first `failures` are not taken; while it is not `open`, none is."""

    url: str
    ms_tenant_id: str
    commands: list[Notified] = field(default_factory=list)
    failures: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, command: Notified) -> None:
        if self.failures:
            self.failures -= 1
            raise PublishFailedError("the broker is away")
        await self.open.wait()
        self.commands.append(command)

    @property
    def address(self) -> Address:
        return Address(self.url, KEY)

    async def arrived(self, count: int) -> list[Notified]:
        async def are_there() -> bool:
            return len(self.commands) >= count

        await eventually_async(are_there, 5.0)
        return self.commands

    async def post(self, note: dict[str, Any], tenant: str = "acme") -> int:
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as http:
            answer = await http.post(f"{self.url}/graph/notifications?t={tenant}", json={"value": [note]})
        return answer.status_code

    def note(self, **other: str) -> dict[str, Any]:
        return {
            "changeType": "updated",
            "clientState": client_state(KEY, "acme", "/users"),
            "resource": "Users/5d2f0a51-7c0e-4d0b-9c0f-1f7b0a6c3e11",
            "subscriptionId": "8c0e1a2b-3d4f-4a5b-9c6d-7e8f90a1b2c1",
            "tenantId": self.ms_tenant_id,
        } | other


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    ms_tenant_id = world.acme.ms_tenant_id
    with socket.create_server((HOST, 0)) as listener:
        made = Desk(f"http://{HOST}:{listener.getsockname()[1]}", ms_tenant_id)
        made.open.set()
        app = receiver(KEY, {"acme": ms_tenant_id}.get, made.publish, lambda: datetime.now(UTC))
        config = uvicorn.Config(
            app, ws="none", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        serving = asyncio.create_task(serve(config, listener))
        yield made
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def kept_at(world: World, desk: Desk, days: float = 0.0, resources: tuple[str, ...] = RESOURCES) -> Kept:
    """Look after the subscriptions in so many days, by everybody's clock."""
    world.graph.subscriptions.ahead = timedelta(days=days)
    return await keep(world.client, world.tenant, resources, desk.address, world.graph.subscriptions.now)


def shown(world: World) -> dict[str, dict[str, Any]]:
    return {held.shown["id"]: held.shown for held in world.graph.subscriptions.of(world.acme.ms_tenant_id)}


def there(world: World) -> frozenset[str]:
    return frozenset(shown(world))


def asked(world: World) -> list[str]:
    """Return what was asked of subscriptions, and forget it."""
    methods = [request.method for request in world.graph.requests_to("/v1.0/subscriptions")]
    world.graph.requests.clear()
    return methods


def wish(url: str, resource: str = "/users", **other: str) -> dict[str, Any]:
    until = format_time(datetime.now(UTC) + timedelta(days=25))
    return {
        "changeType": "updated,deleted", "notificationUrl": url, "resource": resource, "expirationDateTime": until,
    } | other  # fmt: skip


# Looking after them


async def test_subscriptions_are_made_after_a_handshake_and_then_left_alone(world: World, desk: Desk) -> None:
    before = datetime.now(UTC)
    kept = await kept_at(world, desk)
    assert ["GET", "POST", "POST"] == asked(world)
    held = shown(world)
    assert kept.ids == held.keys()
    assert {resource: client_state(KEY, "acme", resource) for resource in RESOURCES} == {
        each["resource"]: each["clientState"] for each in held.values()
    }
    for each in held.values():
        assert each["notificationUrl"].startswith(f"{desk.url}/graph/notifications?t=acme&k=")
        assert each["lifecycleNotificationUrl"].startswith(f"{desk.url}/graph/lifecycle?t=acme&k=")
        assert "updated,deleted" == each["changeType"]
    assert timedelta(0) <= kept.due_at - before - timedelta(days=1) < timedelta(seconds=10)
    again = await kept_at(world, desk)
    assert (kept.ids, ["GET"]) == (again.ids, asked(world))


async def test_they_are_renewed_when_a_third_of_their_life_is_left(world: World, desk: Desk) -> None:
    first = await kept_at(world, desk)
    earliest = min(datetime.fromisoformat(each["expirationDateTime"]) for each in shown(world).values())
    asked(world)
    not_yet = await kept_at(world, desk, 18.5)
    assert (["GET"], earliest - LIFE / 3) == (asked(world), not_yet.due_at)
    world.graph.subscriptions.ahead = not_yet.due_at - datetime.now(UTC) + timedelta(seconds=10)
    now = world.graph.subscriptions.now
    renewed = await keep(world.client, world.tenant, RESOURCES, desk.address, now)
    assert (first.ids, ["GET", "PATCH", "PATCH"]) == (renewed.ids, asked(world))
    assert {format_time(now + LIFE)} == {each["expirationDateTime"] for each in shown(world).values()}
    assert now + timedelta(days=1) == renewed.due_at


async def test_what_is_due_is_renewed_at_the_instant_it_is_due(world: World, desk: Desk) -> None:
    await kept_at(world, desk, resources=("/users",))
    due_at = (await kept_at(world, desk, 18.5, ("/users",))).due_at
    asked(world)
    world.graph.subscriptions.ahead = due_at - datetime.now(UTC)
    await keep(world.client, world.tenant, ("/users",), desk.address, due_at)
    assert ["GET", "PATCH"] == asked(world)


async def test_what_has_expired_or_was_removed_is_made_anew(world: World, desk: Desk) -> None:
    first = await kept_at(world, desk)
    world.graph.subscriptions.drop(min(first.ids))
    second = await kept_at(world, desk)
    assert max(first.ids) in second.ids
    assert (2, second.ids) == (len(second.ids), there(world))
    third = await kept_at(world, desk, 40)
    assert (True, third.ids) == (second.ids.isdisjoint(third.ids), there(world))


async def test_what_is_gone_when_it_is_to_be_renewed_is_made_anew(world: World, desk: Desk) -> None:
    [old] = (await kept_at(world, desk, resources=("/users",))).ids
    asked(world)
    world.graph.faults.slow(1, 0.3, path=f"/v1.0/subscriptions/{old}")
    keeping = asyncio.create_task(kept_at(world, desk, 25, ("/users",)))

    async def is_being_renewed() -> bool:
        return any(request.method == "PATCH" for request in world.graph.requests)

    await eventually_async(is_being_renewed)
    world.graph.subscriptions.drop(old)
    [new] = (await keeping).ids
    assert (["GET", "PATCH", "POST"], frozenset({new})) == (asked(world), there(world))
    assert old != new


async def test_another_key_makes_other_subscriptions_and_ends_those_of_before(world: World, desk: Desk) -> None:
    old = await kept_at(world, desk)
    address = Address(desk.url, "another-invented-key")
    new = await keep(world.client, world.tenant, RESOURCES, address, datetime.now(UTC))
    assert (True, new.ids) == (old.ids.isdisjoint(new.ids), there(world))
    assert {client_state("another-invented-key", "acme", resource) for resource in RESOURCES} == {
        each["clientState"] for each in shown(world).values()
    }
    assert "another-invented-key" not in f"{shown(world)} {address}"


async def test_of_duplicates_the_one_that_lives_longest_stays(world: World, desk: Desk) -> None:
    [first] = (await kept_at(world, desk, resources=("/users",))).ids
    doubles = [world.graph.subscriptions.double(first) for _ in range(3)]
    later = format_time(datetime.now(UTC) + timedelta(days=28.8))
    shown(world)[doubles[1]]["expirationDateTime"] = later
    world.graph.subscriptions.page_size = 2
    kept = await kept_at(world, desk, resources=("/users",))
    assert {doubles[1]} == kept.ids == there(world)


async def test_one_of_ours_that_tells_too_little_is_replaced(world: World, desk: Desk) -> None:
    [first] = (await kept_at(world, desk, resources=("/users",))).ids
    shown(world)[first]["changeType"] = "updated"
    [second] = (await kept_at(world, desk, resources=("/users",))).ids
    assert first != second
    assert {second} == there(world)
    shown(world)[second]["changeType"] = "deleted,updated"
    shown(world)[second]["resource"] = "Users"
    assert {second} == (await kept_at(world, desk, resources=("/users",))).ids


async def test_what_is_not_wanted_any_more_is_ended(world: World, desk: Desk) -> None:
    await kept_at(world, desk)
    kept = await kept_at(world, desk, resources=("/users",))
    assert (kept.ids, ["/users"]) == (there(world), [each["resource"] for each in shown(world).values()])


async def test_subscriptions_of_others_are_left_alone(world: World, desk: Desk) -> None:
    user, other_user = world.acme.add_user(), world.acme.add_user()
    theirs = set()
    for url, resource in (
        (f"{desk.url}/graph/notifications?t=other&k=12345678", f"/users/{user}"),
        (f"{desk.url}/graph/lifecycle?t=acme&k=12345678", f"/users/{other_user}"),
        (f"http://localhost:{desk.url.rpartition(':')[2]}/graph/notifications?t=acme", "/groups"),
    ):
        made = await world.client.post(world.tenant, "/subscriptions", wish(url, resource))
        theirs.add(made["id"])
    world.graph.subscriptions.page_size = 1
    kept = await kept_at(world, desk, resources=("/users",))
    assert theirs | kept.ids == there(world)
    with pytest.raises(GraphError, match="posts to another address") as raised:
        await kept_at(world, desk)
    assert (409, True) == (raised.value.status, theirs | kept.ids == there(world))


async def test_one_whose_making_was_not_heard_of_is_found(world: World, desk: Desk) -> None:
    world.graph.faults.plan(Fault(1, "/v1.0/subscriptions"))  # the list
    world.graph.faults.damage(1, "cut", path="/v1.0/subscriptions")
    kept = await kept_at(world, desk, resources=("/users",))
    assert ["GET", "POST", "POST", "GET"] == asked(world)
    assert (1, kept.ids) == (len(kept.ids), there(world))


async def test_reauthorizing_renews(world: World, desk: Desk) -> None:
    kept = await kept_at(world, desk)
    asked(world)
    [one, other] = sorted(kept.ids)
    world.graph.subscriptions.ahead = timedelta(days=3)
    now = world.graph.subscriptions.now
    await reauthorize(world.client, world.tenant, one, now)
    assert ["PATCH"] == asked(world)
    assert (
        format_time(now + LIFE) == shown(world)[one]["expirationDateTime"] > shown(world)[other]["expirationDateTime"]
    )
    world.graph.subscriptions.drop(one)
    with pytest.raises(GoneError):
        await reauthorize(world.client, world.tenant, one, now)


async def test_what_graph_refuses_is_told(world: World, desk: Desk) -> None:
    nobody = Address(f"http://{HOST}:{free_port()}", KEY)
    with pytest.raises(GraphError) as raised:
        await keep(world.client, world.tenant, RESOURCES, nobody, datetime.now(UTC))
    assert 400 == raised.value.status
    [first] = (await kept_at(world, desk, resources=("/users",))).ids
    for _ in range(99):
        world.graph.subscriptions.double(first)
    for held in shown(world).values():
        held["notificationUrl"] = f"{desk.url}/elsewhere"
    with pytest.raises(ForbiddenError):
        await kept_at(world, desk, resources=("/groups",))


# From a change to a command


async def test_a_change_arrives_as_a_command(world: World, desk: Desk) -> None:
    kept = await kept_at(world, desk)
    user = world.acme.add_user()
    [told] = await desk.arrived(1)
    assert ("acme", "graph", "changed", [user], []) == (told.tenant, told.source, told.event, told.users, told.groups)
    group = world.acme.add_group("TPL-Frontline", [user])
    of_group = (await desk.arrived(2))[1]
    assert ("changed", [], [group]) == (of_group.event, of_group.users, of_group.groups)
    assert kept.ids == {told.subscription, of_group.subscription}
    world.acme.remove_user(user, hard=True)
    assert any(user in each.users for each in (await desk.arrived(3))[2:])


@pytest.mark.parametrize(
    ("event", "expected"),
    [("missed", "missed"), ("subscriptionRemoved", "removed"), ("reauthorizationRequired", "reauthorize")],
)
async def test_what_becomes_of_a_subscription_arrives_as_a_command(
    world: World, desk: Desk, event: Any, expected: str
) -> None:
    kept = await kept_at(world, desk)
    world.graph.subscriptions.tell_lifecycle(world.acme.ms_tenant_id, event)
    told = await desk.arrived(2)
    assert {(subscription, expected) for subscription in kept.ids} == {(each.subscription, each.event) for each in told}


async def test_what_could_not_be_published_is_sent_again(world: World, desk: Desk) -> None:
    await kept_at(world, desk, resources=("/users",))
    desk.failures = 2
    user = world.acme.add_user()
    assert [user] == (await desk.arrived(1))[0].users
    assert 0 == desk.failures


async def test_a_broker_that_hangs_is_answered_for_within_three_seconds(desk: Desk) -> None:
    desk.open.clear()
    began = time.monotonic()
    assert 503 == await desk.post(desk.note())
    assert (True, []) == (2.0 < time.monotonic() - began < 3.0, desk.commands)
    desk.open.set()
    assert (202, 1) == (await desk.post(desk.note()), len(desk.commands))


async def test_what_is_not_ours_is_answered_and_dropped(desk: Desk) -> None:
    assert 202 == await desk.post(desk.note(clientState="invented"))
    assert 202 == await desk.post(desk.note(tenantId="7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d209"))
    assert 202 == await desk.post(desk.note(), tenant="other")
    assert [] == desk.commands


async def test_a_giant_body_is_refused_before_it_has_come(desk: Desk) -> None:
    host, port = desk.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = b"POST /graph/notifications?t=acme HTTP/1.1\r\nHost: here\r\nContent-Length: 10000000000\r\n\r\n"
    writer.write(head + b" " * (LONGEST_BODY_BYTES + 1))
    answer = await asyncio.wait_for(reader.read(), 5.0)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_the_receiver_tells_that_it_is_there(desk: Desk) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answers = [await http.get(f"{desk.url}{path}") for path in ("/healthz", "/graph/notifications")]
    assert [200, 405] == [answer.status_code for answer in answers]
