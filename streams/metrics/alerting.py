"""Owns what alert processes tell, as figures without a tenant's name."""

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Counted

from streams.metrics.holdings import Holdings
from streams.notify.messages import Outcome
from streams.protocol.alert_state import AlertState

registry = CollectorRegistry()
NOTIFICATIONS = Counted(
    "poolwatch_notifications", "Tries to tell somebody, by channel and what came of them.", ["channel", "outcome"],
    registry=registry,
)  # fmt: skip


def begin(channels: Iterable[str]) -> None:
    """Tell 0 of what has not happened yet: an alert on the first time has no rate without."""
    for channel in channels:
        for outcome in get_args(Outcome.__annotations__["state"]):
            NOTIFICATIONS.labels(channel, outcome)


def tried(outcome: Outcome) -> None:
    """Take note of what came of a try to tell somebody."""
    NOTIFICATIONS.labels(outcome.channel, outcome.state).inc()


def holdings_of(states: Iterable[AlertState]) -> Holdings:
    """Return what is open, and what is yet to be told."""
    held: Counter[tuple[str, ...]] = Counter()
    for state in states:
        for rule, kept in list(state.rules.items()):
            if kept.open is not None:
                held["poolwatch_alerts_open", rule, kept.open.level] += 1
        for untold in list(state.outbox):
            for channel in list(untold.channels):
                held["poolwatch_notifications_waiting", channel] += 1
    return held
