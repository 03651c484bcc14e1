"""Events that the broker deleted before they were counted make the count stale and ask for a full sync."""

import json
from dataclasses import dataclass
from typing import Any

from schemas.topics import TopicName
from streams.protocol.effects import Append, Appended, Done, Publish, Steps
from streams.protocol.meter import MeterPartition
from streams.protocol.settings_book import SettingsBook

NOW_MS = 1_795_600_000_000


@dataclass
class Read:
    """A record as it was read."""

    value: Any
    key: Any = b"acme"
    headers: Any = ()
    offset: int = 0
    timestamp: int = NOW_MS


def run(meter: MeterPartition, steps: Steps) -> dict[TopicName, list[Any]]:
    """Carry the steps out on a log that takes everything; return what was published by topic."""
    published: dict[TopicName, list[Any]] = {}
    result: Any = None
    end = max(meter.log.next_offset, 0)
    while True:
        try:
            effect = steps.send(result)
        except StopIteration:
            return published
        result = None
        if isinstance(effect, Append):
            result = [Appended(end, len(effect.items))]
            end += len(effect.items)
        elif isinstance(effect, Publish):
            published.setdefault(effect.topic, []).extend(json.loads(item.value or b"null") for item in effect.items)
        else:
            assert isinstance(effect, Done), effect


def test_lost_events_unconfirm_every_source_and_ask_for_a_refresh() -> None:
    meter = MeterPartition(0, 1, SettingsBook(), lambda: NOW_MS)
    run(meter, meter.start())
    event = {
        "type": "sync_completed",
        "tenant": "acme",
        "facet": "voice",
        "source": "graph",
        "started_at": "2026-11-24T10:00:00Z",
    }
    run(meter, meter.batch("assignments", [Read(json.dumps(event).encode())]))
    (confirmed,) = run(meter, meter.flush())["tallies"]

    told = run(meter, meter.lose_events("assignments", 5, 9))

    assert confirmed["freshness"]["voice"]["graph"][0] == "2026-11-24T10:00:00.000Z"
    assert [(command["type"], command["tenant"]) for command in told["commands"]] == [("refresh", "acme")]
    assert told["tallies"][0]["freshness"]["voice"]["graph"] == [None, None]
