"""The collector's process between a fake Graph over HTTP and a whole embedded stack: counts, notifications, refresh."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.embedded.child import Child
from tests.support.embedded_stack import EmbeddedStack, running_stack
from tests.support.graph import FakeGraph, FakeTenant, served_graph
from tests.support.graph.collecting import collector_process, enrol, expected_count, fill, notifying
from tests.support.ports import free_port
from tests.support.waiting import eventually

WAIT_S = 60.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("graph") / "data") as own:
        yield own


@pytest.fixture(scope="module")
def graph() -> Iterator[FakeGraph]:
    with served_graph() as served:
        yield served


def licensed(stack: EmbeddedStack, tenant: str) -> int:
    return int(stack.count(tenant)["currently_licensed"])


def hints(stack: EmbeddedStack, tenant: str) -> list[str]:
    found: list[str] = stack.count(tenant)["hints"]
    return found


def parts(stack: EmbeddedStack, tenant: str) -> dict[str, dict[str, Any]]:
    return {item["part"]: item for item in stack.get(f"/tenants/{tenant}/sources")["items"]}


def held_syncs(stack: EmbeddedStack, tenant: str) -> list[str]:
    runs = stack.get(f"/tenants/{tenant}/syncs")["items"]
    return [run["id"] for run in runs if run["status"] == "held"]


@pytest.fixture
def collector(graph: FakeGraph, stack: EmbeddedStack, tmp_path: Path) -> Iterator[Child]:
    child = collector_process(graph, stack.bootstrap, stack.url, tmp_path / "collector.log", **notifying(free_port()))
    child.start()
    try:
        yield child
    finally:
        child.stop()


def test_five_tenants_one_of_them_large_are_counted_and_kept_up_to_date(
    graph: FakeGraph, stack: EmbeddedStack, collector: Child
) -> None:
    tenants: dict[str, FakeTenant] = {f"tenant-{number}": graph.add_tenant() for number in range(5)}
    fill(tenants["tenant-0"], 20_000, 12_000, 3_000)
    for number in range(1, 5):
        fill(tenants[f"tenant-{number}"], 30 * number, 10 * number, 5)
    team = tenants["tenant-1"].add_group("TPL-Frontline", list(tenants["tenant-1"].users)[-4:])
    for name, fake in tenants.items():
        enrol(stack.url, name, fake, **({"template_groups": [team]} if name == "tenant-1" else {}))
    expected = {name: expected_count(fake) for name, fake in tenants.items()}
    expected["tenant-1"] += 4
    assert 15_000 == expected["tenant-0"]
    eventually(lambda: expected == {name: licensed(stack, name) for name in tenants}, WAIT_S)
    eventually(lambda: {"ok"} == {part["state"] for part in parts(stack, "tenant-1").values()}, WAIT_S)
    assert {"no_gateways"} == set(hints(stack, "tenant-1"))
    # a notification moves the count at once
    eventually(lambda: graph.subscriptions.of(tenants["tenant-2"].ms_tenant_id), WAIT_S)
    before, began = licensed(stack, "tenant-2"), time.monotonic()
    user = tenants["tenant-2"].add_user()
    tenants["tenant-2"].assign_number(user, "+33299000001")
    tenants["tenant-2"].set_licenses(user, "MCOEV")
    eventually(lambda: before + 1 == licensed(stack, "tenant-2"), WAIT_S)
    assert time.monotonic() - began < 5
    # without one, polling does
    graph.faults.drop_notifications = True
    tenants["tenant-3"].assign_number(tenants["tenant-3"].add_user(), "+33299000002")
    tenants["tenant-3"].unassign_number("+33100000000")
    tenants["tenant-3"].unassign_number("+33100000001")
    eventually(lambda: expected["tenant-3"] - 1 == licensed(stack, "tenant-3"), WAIT_S)
    graph.faults.clear()
    assert "@" not in collector.log_tail(10_000)
    assert "+33" not in collector.log_tail(10_000)
    assert "eyJ" not in collector.log_tail(10_000)


def test_what_fails_is_stale_with_its_reason_and_the_count_stays(
    graph: FakeGraph, stack: EmbeddedStack, collector: Child
) -> None:
    fake = graph.add_tenant()
    fill(fake, 30, 25)
    enrol(stack.url, "revoked", fake)
    eventually(lambda: licensed(stack, "revoked") == 25, WAIT_S)
    fake.permissions.discard("TeamsTelephoneNumber.Read.All")
    eventually(lambda: parts(stack, "revoked")["numbers"]["state"] == "failing", WAIT_S)
    assert "TeamsTelephoneNumber.Read.All" in parts(stack, "revoked")["numbers"]["reason"]
    eventually(lambda: "source_failing" in hints(stack, "revoked"), WAIT_S)
    assert "ok" == parts(stack, "revoked")["users"]["state"]
    fake.consented = False
    graph.sign_in.revoke(fake.ms_tenant_id)
    eventually(lambda: "consent" in parts(stack, "revoked")["users"]["reason"], WAIT_S)
    assert 25 == licensed(stack, "revoked")
    fake.consented = True
    fake.permissions.add("TeamsTelephoneNumber.Read.All")
    eventually(lambda: {"ok"} == {part["state"] for part in parts(stack, "revoked").values()}, WAIT_S)
    eventually(lambda: "source_failing" not in hints(stack, "revoked"), WAIT_S)


def test_fewer_licences_than_voice_users_is_said_beside_the_count(
    graph: FakeGraph, stack: EmbeddedStack, collector: Child
) -> None:
    fake = graph.add_tenant()
    fill(fake, 30, 25)
    fake.own_sku("MCOEV", 20)
    enrol(stack.url, "short", fake)
    eventually(lambda: "few_teams_phone_licences" in hints(stack, "short"), WAIT_S)
    fake.own_sku("MCOEV", 40)
    eventually(lambda: "few_teams_phone_licences" not in hints(stack, "short"), WAIT_S)


def test_a_throttled_tenant_keeps_nobody_waiting(graph: FakeGraph, stack: EmbeddedStack, collector: Child) -> None:
    slow, quick = graph.add_tenant(), graph.add_tenant()
    fill(slow, 10, 10)
    fill(quick, 10, 10)
    graph.faults.throttle(10_000, "60", path="/v1.0/users", tenant=slow.ms_tenant_id)
    enrol(stack.url, "slow", slow)
    enrol(stack.url, "quick", quick)
    eventually(lambda: licensed(stack, "quick") == 10, WAIT_S)
    graph.faults.clear()


def test_a_refresh_is_seen_to_advance_and_to_end(graph: FakeGraph, stack: EmbeddedStack, collector: Child) -> None:
    fake = graph.add_tenant()
    fill(fake, 30, 25)
    enrol(stack.url, "asked", fake)
    eventually(lambda: licensed(stack, "asked") == 25, WAIT_S)
    ended = json.loads(stack.done("refresh", "asked", "--wait", "--json"))
    assert {"done"} == {facet["state"] for facet in ended["facets"].values()}


def test_a_sync_that_would_remove_most_is_held_until_a_person_confirms(
    graph: FakeGraph, stack: EmbeddedStack, tmp_path: Path
) -> None:
    fake = graph.add_tenant()
    fill(fake, 60, 50)
    enrol(stack.url, "emptied", fake)
    child = collector_process(graph, stack.bootstrap, stack.url, tmp_path / "collector.log", poll_s=3_600)
    child.start()
    try:
        eventually(lambda: licensed(stack, "emptied") == 50, WAIT_S)
        for number in sorted(fake.numbers)[5:]:
            fake.release_number(number)
        stack.done("refresh", "emptied")
        eventually(lambda: "sync_held" in hints(stack, "emptied"), WAIT_S)
        assert 50 == licensed(stack, "emptied")
        held = eventually(lambda: held_syncs(stack, "emptied"), WAIT_S)  # the sink stores it a little later
        stack.done("sync", "confirm", "emptied", held[0])
        eventually(lambda: licensed(stack, "emptied") == 5, WAIT_S)
    finally:
        child.stop()


def test_a_collector_ends_when_it_is_told_to_also_while_the_broker_is_away(graph: FakeGraph, tmp_path: Path) -> None:
    own = EmbeddedStack(tmp_path / "data")
    own.start()
    fake = graph.add_tenant()
    fill(fake, 3, 3)
    child = collector_process(graph, own.bootstrap, own.url, tmp_path / "collector.log")
    child.start()
    try:
        enrol(own.url, "ending", fake)
        eventually(lambda: licensed(own, "ending") == 3, WAIT_S)
        own.close()
        os.kill(child.pid, signal.SIGTERM)
        eventually(lambda: not child.alive, WAIT_S)
    finally:
        child.kill()
        own.close()
