"""Owns a bench for protocol code: carries out its effects on logs in memory, and makes its messages short to write."""

import json
from collections.abc import Callable
from typing import Any, cast

from schemas.settings import TenantSettings
from schemas.times import format_ms, from_ms
from schemas.topics import TopicName
from streams.protocol.effects import Append, Effect, LogRecord, Pause, Publish, ReadBack, Steps
from streams.protocol.meter import MeterPartition
from streams.protocol.settings_book import SettingsBook
from tests.property.protocol.log import MemoryLog, Stored

NOW_MS = 1_764_000_000_000


class Bench:
    """Logs of one partition, by topic; `effects` is all that was carried out so far."""

    def __init__(self, owned: TopicName = "meter-state-changelog") -> None:
        self.owned = owned
        self.logs: dict[str, MemoryLog] = {}
        self.effects: list[Effect] = []
        self.meanwhile: dict[str, Callable[[], None]] = {}
        """By step: what happens, once, while its effect is carried out."""

    def log(self, topic: str | None = None) -> MemoryLog:
        """Return the log of a topic; the owned one by default."""
        return self.logs.setdefault(topic or self.owned, MemoryLog())

    def run(self, steps: Steps, until_pause: bool = False) -> bool:
        """Carry out the effects, all or up to the next pause; return whether there are more."""
        result: Any = None
        while True:
            try:
                effect = steps.send(result)
            except StopIteration:
                return False
            self.effects.append(effect)
            result = self._carry_out(effect)
            if effect.step in self.meanwhile:
                self.meanwhile.pop(effect.step)()
            if until_pause and isinstance(effect, Pause):
                return True

    def _carry_out(self, effect: Effect) -> Any:
        match effect:
            case Append(items=items):
                return [self.log().append(items, NOW_MS)]
            case Publish(topic=topic, items=items):
                return [self.log(topic).append(items, NOW_MS)]
            case ReadBack(start=start, end=end):
                return self.log().read(start, end)
            case _:
                return None

    def steps(self) -> list[str]:
        """Return the names of the effects since the last call."""
        names = [effect.step for effect in self.effects]
        self.effects.clear()
        return names

    def told(self, topic: str) -> list[dict[str, Any]]:
        """Return the messages of a topic."""
        return [json.loads(record.value or b"null") for record in self.log(topic).records]


def records(*events: dict[str, Any] | bytes, offset: int = 0, hop: bool = False) -> list[LogRecord]:
    """Return a fetched batch, one event a record."""
    headers = (("poolwatch-hop", b"1"),) if hop else ()
    values = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    stored = [Stored(offset + place, b"k", value, headers, NOW_MS) for place, value in enumerate(values)]
    return cast(list[LogRecord], stored)


def voice(subject: str, gateway: str, at_ms: int = NOW_MS, tenant: str = "acme") -> dict[str, Any]:
    """Return the event of a user's gateway."""
    return _event("voice", subject, {"gateway": gateway}, at_ms, tenant)


def number_type(subject: str, kind: str = "directRouting", at_ms: int = NOW_MS, tenant: str = "acme") -> dict[str, Any]:
    """Return the event of a user's number type."""
    return _event("phone_number", subject, {"number_type": kind}, at_ms, tenant)


def _event(facet: str, subject: str, facts: dict[str, Any], at_ms: int, tenant: str) -> dict[str, Any]:
    at = format_ms(at_ms)
    return {"type": facet, "tenant": tenant, "subject": subject, "observed_at": at, "source": "graph", "facts": facts}


def settings(revision: int, removed_ms: int | None = None, *, removes: bool = False, **other: Any) -> TenantSettings:
    """Return a revision of acme's settings; `removes`: it is the removal itself."""
    removed_at = from_ms(removed_ms) if removed_ms is not None else None
    updated_at = removed_at if removes else from_ms(NOW_MS + revision)
    return TenantSettings.model_validate(
        {"tenant": "acme", "revision": revision, "removed_at": removed_at, "updated_at": updated_at} | other
    )


def put(book: SettingsBook, revision: TenantSettings) -> None:
    """Let a book know a revision."""
    assert book.apply(revision.tenant.encode(), revision.model_dump_json().encode()) == revision.tenant


def new_meter(book: SettingsBook, bench: Bench, partitions: int = 1) -> MeterPartition:
    """Return a meter that has recovered from the bench's log and started."""
    meter = MeterPartition(0, partitions, book, lambda: NOW_MS)
    meter.recovery.apply(cast(list[LogRecord], bench.log().read(0)))
    bench.run(meter.start())
    bench.steps()
    return meter
