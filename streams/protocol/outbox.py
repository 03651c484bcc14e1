"""Owns what is yet to be told of a tenant's alerts: published first, then told by each channel until it has taken it or
is given up. Pure; times in ms since 1970."""

import hashlib
from collections.abc import Iterator

from schemas.alert import Alert, Delivery
from schemas.times import format_ms, from_ms
from streams.notify.messages import Outcome
from streams.protocol.alert_state import MOST_UNTOLD, AlertState, Pending, Untold
from streams.protocol.effects import Item


def unpublished(state: AlertState) -> list[Untold]:
    """Return the changes that the topic `alerts` does not have yet, oldest first."""
    return [untold for untold in state.outbox if not untold.published]


def untold(state: AlertState) -> Iterator[tuple[Alert, str, Pending]]:
    """Yield each published change with a channel that has not taken it."""
    for entry in state.outbox:
        if entry.published and entry.channels:
            alert = Alert.model_validate_json(bytes(entry.alert))
            for channel, pending in entry.channels.items():
                yield alert, channel, pending


def sweep(state: AlertState) -> bool:
    """Drop what is published and told; return whether there was something."""
    kept = [entry for entry in state.outbox if not entry.published or entry.channels]
    changed = len(kept) != len(state.outbox)
    state.outbox = kept
    return changed


def entry_of(state: AlertState, alert_id: str) -> Untold | None:
    """Return a change that waits, None where it does not (any more)."""
    return next((entry for entry in state.outbox if entry.id == alert_id), None)


def settle(state: AlertState, outcome: Outcome, now: int) -> Delivery | None:
    """Note what a channel did; return what is told of it, None where nothing waited for it (any more)."""
    entry = entry_of(state, outcome.alert_id)
    if entry is None or outcome.channel not in entry.channels:
        return None
    if outcome.state == "failed":
        entry.channels[outcome.channel] = Pending(outcome.attempts, outcome.next_ms)
    else:
        del entry.channels[outcome.channel]
    return Delivery.model_validate(
        {
            "id": outcome.alert_id, "tenant": outcome.tenant, "rule": outcome.rule, "channel": outcome.channel,
            "state": outcome.state, "attempts": outcome.attempts, "at": from_ms(now), "error": outcome.error,
        }
    )  # fmt: skip


def overflow(state: AlertState) -> list[Untold]:
    """Take out the oldest published changes beyond the most that are kept, to be given up."""
    excess = len(state.outbox) - MOST_UNTOLD
    gone = [entry for entry in state.outbox if entry.published][: max(0, excess)]
    ids = {entry.id for entry in gone}
    state.outbox = [entry for entry in state.outbox if entry.id not in ids]
    return gone


def dead_letter(tenant: str, value: bytes, why: str, partition: int, now: int) -> Item:
    """Return the dead letter of a change that a channel was not told."""
    headers = {
        "reason": "not_delivered", "detail": why[:2_000], "topic": "alerts", "partition": str(partition),
        "offset": "-1", "index": "0", "failed_at": format_ms(now), "length": str(len(value)),
        "sha256": hashlib.sha256(value).hexdigest(),
    }  # fmt: skip
    return Item(tenant.encode(), value, tuple((name, text.encode()) for name, text in headers.items()))
