"""Which errands run, how many at a time, and what becomes of tenants that change or leave meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.errors import PublishFailedError
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.collector import AILING_ERRANDS, HEALTHY_ERRANDS, SLOW_S, GraphCollector
from collectors.graph.notify.subscriptions import Kept
from collectors.graph.reading.collected import Collected
from collectors.graph.schedule import Due, Schedule
from collectors.graph.visit import Visited, Visitor
from schemas.commands import Notified
from schemas.sources import Part, SourceState
from tests.support.logs import heard

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Quiet:
    """Keeps no states."""

    async def write(self, state: SourceState) -> None:
        """Nobody reads it here."""

    async def forget(self, tenant: str, part: Part) -> None:
        """The same."""


class ScriptedVisitor(Visitor):
    """Notes who is visited; an errand ends when the test says, and how it says."""

    def __init__(self) -> None:
        self.begun: list[Due] = []
        self.held: dict[str, Collected] = {}
        self.open = asyncio.Event()
        self.outcome: Visited | Exception = Visited()
        self.forgotten: list[str] = []

    async def visit(self, held: Collected, due: Due) -> Visited:
        self.begun.append(due)
        self.held[due.tenant] = held
        await self.open.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def forget(self, held: Collected) -> None:
        self.forgotten.append(held.tenant.tenant)


@dataclass
class Desk:
    """A running collector with a clock that the test moves."""

    visitor: ScriptedVisitor = field(default_factory=ScriptedVisitor)
    at_s: float = 0.0

    def __post_init__(self) -> None:
        self.collector = GraphCollector(
            self.visitor, Schedule(300, 86_400, lambda: 0.5), Quiet(), lambda: NOW, lambda: self.at_s
        )

    async def turn(self) -> None:
        """Let everything happen that can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def later(self, seconds: float) -> None:
        """Let time pass, and let the collector look at the clock."""
        self.at_s += seconds
        self.collector._news.set()
        await self.turn()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    own = Desk()
    running = asyncio.create_task(own.collector.run())
    await own.turn()
    yield own
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def tenant(name: str, ms_tenant_id: str = "5d2f") -> GraphTenant:
    return GraphTenant(name, ms_tenant_id)


def notified(event: Any = "changed", subscription: str = "one") -> Notified:
    return Notified(
        id="1", tenant="acme", by="graph", sent_at=NOW, source="graph", subscription=subscription, event=event,
        users=["ada"],
    )  # fmt: skip


async def test_a_new_tenant_is_read_whole_and_once(desk: Desk) -> None:
    desk.collector.collect(tenant("acme"))
    desk.collector.collect(tenant("acme"))
    await desk.turn()
    assert [("acme", "full")] == [(due.tenant, due.errand) for due in desk.visitor.begun]


async def test_so_many_errands_run_at_a_time_and_the_others_wait_for_their_end(desk: Desk) -> None:
    for number in range(HEALTHY_ERRANDS + 5):
        desk.collector.collect(tenant(f"t{number}"))
    await desk.turn()
    assert HEALTHY_ERRANDS == len(desk.visitor.begun)
    desk.visitor.open.set()
    await desk.turn()
    assert HEALTHY_ERRANDS + 5 == len({due.tenant for due in desk.visitor.begun})


async def test_tenants_that_fail_keep_only_their_own_places_busy(desk: Desk) -> None:
    desk.visitor.outcome = Visited(ok=False)
    desk.visitor.open.set()
    for number in range(AILING_ERRANDS + HEALTHY_ERRANDS):
        desk.collector.collect(tenant(f"bad{number}"))
    await desk.turn()
    desk.visitor.open.clear()
    desk.visitor.begun.clear()
    await desk.later(3_000)
    assert AILING_ERRANDS == len(desk.visitor.begun)  # they hang now, and no more of them
    desk.collector.collect(tenant("good"))
    await desk.turn()
    assert "good" in {due.tenant for due in desk.visitor.begun}


@pytest.mark.parametrize("outcome", [PublishFailedError("the broker is away"), KeyError("+33199001001")])
async def test_an_errand_that_breaks_is_tried_again_and_tells_nothing_personal(desk: Desk, outcome: Exception) -> None:
    desk.visitor.outcome = outcome
    desk.visitor.open.set()
    with heard("collectors") as logs:
        desk.collector.collect(tenant("acme"))
        await desk.turn()
    assert 1 == len(logs)
    assert "+33" not in str(logs)
    desk.visitor.outcome = Visited()
    await desk.later(300)
    assert 2 == len(desk.visitor.begun)


async def test_errands_that_take_long_keep_nobody_waiting(desk: Desk) -> None:
    for number in range(HEALTHY_ERRANDS):
        desk.collector.collect(tenant(f"large{number}"))
    await desk.turn()
    desk.collector.collect(tenant("small"))
    await desk.turn()
    assert "small" not in {due.tenant for due in desk.visitor.begun}
    await desk.later(SLOW_S + 1)
    assert "small" in {due.tenant for due in desk.visitor.begun}


async def test_a_tenant_that_leaves_is_asked_no_more(desk: Desk) -> None:
    desk.collector.collect(tenant("acme"))
    await desk.turn()
    desk.collector.leave("acme")
    desk.visitor.open.set()
    await desk.later(100_000)
    assert 1 == len(desk.visitor.begun)
    assert [] == desk.visitor.forgotten


async def test_a_tenant_that_is_switched_off_is_forgotten(desk: Desk) -> None:
    desk.collector.collect(tenant("acme"))
    await desk.turn()
    await desk.collector.forget("acme")
    await desk.collector.forget("acme")
    assert ["acme"] == desk.visitor.forgotten


async def test_another_directory_is_read_whole_with_nothing_known(desk: Desk) -> None:
    known = SourceState(
        tenant="acme", source="graph", part="users", facets=["directory"], state="ok", since=NOW, at=NOW,
        directory="5d2f https://graph.microsoft.com", cursor="link",
    )  # fmt: skip
    desk.collector.collect(tenant("acme"), known=[known])
    await desk.turn()
    assert "link" == desk.visitor.held["acme"].parts.cursor("users")
    desk.collector.collect(tenant("acme"), ["group"])
    await desk.turn()
    assert "link" == desk.visitor.held["acme"].parts.cursor("users")
    desk.collector.collect(tenant("acme", "another"), ["group"])
    await desk.turn()
    assert desk.visitor.held["acme"].parts.cursor("users") is None
    assert 3 == len(desk.visitor.begun)


async def test_a_saved_place_is_resumed_before_everything_is_read(desk: Desk) -> None:
    known = SourceState(
        tenant="acme", source="graph", part="users", facets=["directory"], state="ok", since=NOW, at=NOW,
        directory="5d2f https://graph.microsoft.com", cursor="link",
    )  # fmt: skip
    desk.visitor.open.set()
    desk.collector.collect(tenant("acme"), known=[known])
    await desk.turn()
    assert ["delta", "full"] == [due.errand for due in desk.visitor.begun]


async def test_a_refresh_is_a_full_errand_with_its_name(desk: Desk) -> None:
    desk.visitor.open.set()
    desk.collector.collect(tenant("acme"))
    await desk.turn()
    desk.collector.refresh("acme", "r1")
    await desk.turn()
    assert ("full", "r1") == (desk.visitor.begun[-1].errand, desk.visitor.begun[-1].refresh)


async def test_a_notification_of_our_subscription_asks_for_the_user(desk: Desk) -> None:
    desk.visitor.open.set()
    desk.collector.collect(tenant("acme"))
    await desk.turn()
    held = desk.visitor.held["acme"]
    held.kept = Kept(frozenset({"one"}), NOW)
    desk.collector.notified(notified(subscription="stranger"))
    await desk.later(10)
    assert 1 == len(desk.visitor.begun)
    desk.collector.notified(notified())
    await desk.later(10)
    assert {"ada"} == desk.visitor.begun[-1].users
    desk.collector.notified(notified("reauthorize"))
    assert {"one"} == held.to_reauthorize
    desk.collector.notified(notified("removed"))
    assert held.kept is None


async def test_a_notification_of_a_tenant_that_is_not_ours_is_nothing(desk: Desk) -> None:
    desk.collector.notified(notified())
    await desk.later(10)
    assert [] == desk.visitor.begun
