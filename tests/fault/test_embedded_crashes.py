"""Processes of the embedded stack killed one by one: supervised, counts equal again, nothing confirmed is lost."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.times import format_time
from tests.support.embedded_stack import EmbeddedStack, children_of, is_alive, running_stack
from tests.support.waiting import eventually

BACK_S = 60.0
PAUSE_S = 0.05
ROLES = ("worker", "core", "broker")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    with running_stack(tmp_path_factory.mktemp("crashes") / "data") as stack:
        yield stack


def user(tenant: str, number: int) -> dict[str, Any]:
    """A user who is counted by a change by hand."""
    return {
        "type": "interface", "tenant": tenant, "subject": f"user:{number}", "source": "test",
        "observed_at": format_time(datetime.now(UTC)), "facts": {"changed_by": "ana"},
    }  # fmt: skip


class Poster:
    """Posts one user after the other; `confirmed` are those that the API has accepted."""

    def __init__(self, stack: EmbeddedStack, tenant: str) -> None:
        self._stack = stack
        self._tenant = tenant
        self.confirmed: list[int] = []
        self.stop = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            try:
                answer = self._stack.post_events(user(self._tenant, number))
            except httpx.HTTPError:
                self.stop.wait(PAUSE_S)
                continue
            if answer.status_code == 202:
                self.confirmed.append(number)


@contextmanager
def posting(stack: EmbeddedStack, tenant: str) -> Iterator[Poster]:
    poster = Poster(stack, tenant)
    thread = threading.Thread(target=poster.run)
    thread.start()
    try:
        yield poster
    finally:
        poster.stop.set()
        thread.join()


def counted(stack: EmbeddedStack, tenant: str) -> set[int]:
    """Return the numbers of the users that are on record as counted."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = stack.get(f"/tenants/{tenant}/seats", limit=1_000, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return {int(item["subject"].removeprefix("user:")) for item in items}


def agrees(stack: EmbeddedStack, tenant: str) -> bool:
    assert stack.is_ready()
    ended = stack.cli("audit", tenant)
    assert ended.code == 0, ended.out + ended.err
    return True


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_process_is_started_again_and_nothing_confirmed_is_lost(stack: EmbeddedStack, role: str) -> None:
    with posting(stack, role) as poster:
        eventually(lambda: len(poster.confirmed) >= 5, BACK_S)
        killed = stack.child(role)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: stack.child(role) not in (None, killed), BACK_S)
        eventually(stack.is_ready, BACK_S)
        before = len(poster.confirmed)
        eventually(lambda: len(poster.confirmed) > before + 5, BACK_S)
    assert "is started again; its log is" in stack.out
    eventually(lambda: agrees(stack, role), BACK_S)
    assert set(poster.confirmed) <= counted(stack, role)


def test_after_the_supervisor_was_killed_nothing_is_left_over_and_a_start_finds_all(
    stack: EmbeddedStack, repository: Path
) -> None:
    tenant = "supervisor"
    with posting(stack, tenant) as poster:
        eventually(lambda: len(poster.confirmed) >= 5, BACK_S)
        children = children_of(stack.pid)
        assert len(children) == len(ROLES)
        stack.done("import", "users", str(repository / "tests" / "data" / "acme" / "users.csv"), "-T", "acme")
        stack.kill()
        eventually(lambda: not [pid for pid in children if is_alive(pid)])
    stack.start()
    assert set(poster.confirmed) <= counted(stack, tenant)
    assert len(stack.get("/tenants/acme/seats", factor="none")["items"]) == 12, "the import was done"
    for item in stack.get("/tenants")["items"]:
        assert agrees(stack, item["tenant"])
        assert len(stack.get(f"/tenants/{item['tenant']}/seats", limit=1_000)["items"]) == item["currently_licensed"]
    assert stack.interrupt() == 0
    assert "could not be stored" not in stack.out
