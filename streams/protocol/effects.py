"""Owns the effects that the protocol asks its shell to carry out, each named after its step in docs/delivery.md.

The protocol is written as generators that yield effects and are sent their results: the same code runs on Kafka, and
in the state machine
of the tests, which crashes it between any two effects.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec

from schemas.topics import TopicName


class Item(msgspec.Struct, frozen=True, gc=False):
    """One record to be written; `value` None is a deletion."""

    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int | None = None
    """Set only where a record is forwarded, which keeps its own time."""


class LogRecord(Protocol):
    """One record as read; what aiokafka's ConsumerRecord has."""

    offset: int
    key: Any
    value: Any
    headers: Any
    timestamp: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Write records to a partition of a topic and await their acknowledgement."""

    step: str
    topic: TopicName
    partition: int
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Append:
    """Write records to the owned log and await acknowledgement; the result is `list[Appended]`, in order."""

    step: str
    items: Sequence[Item]


class Appended(NamedTuple):
    """Acknowledgement of one batch: offset of its first record, and how many."""

    base_offset: int
    records: int


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Read offsets [start, end) of the owned log; the result is `list[LogRecord]`."""

    step: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Done:
    """Everything below these offsets (by topic) has been processed, and may be committed."""

    step: str
    offsets: dict[TopicName, int]


@dataclass(frozen=True, slots=True)
class Pause:
    """A long job has done a slice: others may go first. The job is resumed with None."""

    step: str


Effect = Publish | Append | ReadBack | Done | Pause
Steps = Generator[Effect, Any, None]


def single(effect: Effect) -> Steps:
    """Return the steps of one effect."""
    yield effect
