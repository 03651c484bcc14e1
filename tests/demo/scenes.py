"""Owns what the demo shows, one scene after the other, each with its deadline."""

import time
from collections.abc import Callable
from typing import Final

from tests.demo.running import DemoError
from tests.demo.stage import POLL_S, Stage
from tests.demo.tenants import Customer

NOTIFIED_S: Final = 5.0
"""What a change may take from Graph to the count where Graph notifies."""
POLLED_S: Final = 3.0 * POLL_S
_PATIENCE_S: Final = 90.0
_RETRY_AFTER_S: Final = 360
"""Longer than one request waits, so that the collector says at once what it waits for."""

Say = Callable[[str], None]


def counts_come_in(stage: Stage, customers: dict[str, Customer], title: Say, say: Say) -> None:
    """Show the counts until they are those of Graph."""
    title("Counts come in, until they are what Graph holds")
    for customer in customers.values():
        stage.enrol(customer)
    shown = dict.fromkeys(customers, -1)

    def equal() -> bool:
        for name, customer in customers.items():
            found, expected = stage.licensed(name), customer.expected()
            if found != shown[name]:
                users = f"{len(customer.fake.users):,} accounts"
                say(f"{name:10} {found:5,} of {expected:5,} licences ({users}){' - done' * (found == expected)}")
            shown[name] = found
        return shown == {name: customer.expected() for name, customer in customers.items()}

    say(f"all counts are right after {stage.wait('all counts are right', equal, _PATIENCE_S):.1f} s")


def a_change_is_notified(stage: Stage, customer: Customer, title: Say, say: Say) -> None:
    """Show how soon somebody new is counted where Graph notifies."""
    title(f"{customer.name} hires somebody with a Direct Routing number, and Graph notifies")
    _hear_of(stage, customer)
    _arrive(stage, customer, NOTIFIED_S, say)


def a_change_is_polled(stage: Stage, customer: Customer, title: Say, say: Say) -> None:
    """Show that polling finds what no notification tells of."""
    title(f"{customer.name} hires somebody, and no notification arrives: polling finds it")
    stage.graph.faults.drop_notifications = True
    try:
        _arrive(stage, customer, POLLED_S, say)
    finally:
        stage.graph.faults.drop_notifications = False


def a_throttled_tenant_keeps_its_count(
    stage: Stage, throttled: Customer, other: Customer, title: Say, say: Say
) -> None:
    """Show that a throttled tenant keeps its count, and keeps nobody else waiting."""
    title(f"Graph throttles {throttled.name} (429, Retry-After: {_RETRY_AFTER_S}); {other.name} is not kept waiting")
    before = stage.licensed(throttled.name)
    stage.graph.faults.throttle(1_000_000, str(_RETRY_AFTER_S), tenant=throttled.fake.ms_tenant_id)
    throttled.hire()
    stage.wait(f"{throttled.name} is throttled", lambda: bool(_failing(stage, throttled)), _PATIENCE_S)
    for reason in _failing(stage, throttled):
        say(f"poolwatch sources {throttled.name}: {reason}")
    _hear_of(stage, other)
    _arrive(stage, other, NOTIFIED_S, say)
    if (now := stage.licensed(throttled.name)) != before:
        raise DemoError(f"the count of {throttled.name} went from {before} to {now} while Graph told nothing of it")
    say(f"{throttled.name:10} keeps its count of {before:,}")
    stage.graph.faults.clear()
    say(f"Graph answers {throttled.name} again: who was hired meanwhile is counted when {_RETRY_AFTER_S} s are over")


def _hear_of(stage: Stage, customer: Customer) -> None:
    """Wait until Graph is subscribed to."""
    subscriptions, tenant = stage.graph.subscriptions, customer.fake.ms_tenant_id
    stage.wait(f"{customer.name} is subscribed to", lambda: bool(subscriptions.of(tenant)), _PATIENCE_S)


def _arrive(stage: Stage, customer: Customer, limit_s: float, say: Say) -> None:
    before = stage.licensed(customer.name)
    customer.hire()
    what = f"the count of {customer.name} moved"
    took = stage.wait(what, lambda: stage.licensed(customer.name) == before + 1, limit_s)
    say(f"{customer.name:10} {before:,} -> {before + 1:,} licences, {took:.1f} s after the change")


def _failing(stage: Stage, customer: Customer) -> list[str]:
    return [
        f"{item['part']} {item['state']}: {item['reason']}"
        for item in stage.sources(customer.name)
        if item["state"] == "failing" and "429" in item["reason"]
    ]


def wait_for_ever(stage: Stage) -> None:
    """Go on until Ctrl-C. Raises DemoError if something ends by itself."""
    while True:
        stage.look_after()
        time.sleep(1)
