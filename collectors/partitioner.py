"""Owns the grouping of events into records: arrays of one topic and partition, in order and bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.identifiers import partition_of
from schemas.topics import TopicName

MAX_RECORD_EVENTS = 250
MAX_RECORD_BYTES = 256 * 1024
"""Well below the 1 MiB that a record may have, so that a broker with its default limits takes it."""
MAX_HELD_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way: short topic name, key (`tenant/subject` or `tenant`) and its JSON.

    `everywhere`: a copy goes to every partition of the topic (syncs and confirmations belong to no subject).
    """

    topic: TopicName
    key: bytes
    value: bytes
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record: the short topic name, the partition, the key of its first event, and `events` events as
    JSON."""

    topic: TopicName
    partition: int
    key: bytes
    value: bytes
    events: int


@dataclass(slots=True)
class _Pile:
    key: bytes
    values: list[bytes] = field(default_factory=list)
    size: int = 0


class Partitioner:
    """Piles events up by topic and partition, and gives out records when a pile is full or too much is held.

    One pile a partition keeps the order of a subject's events. At most about MAX_HELD_BYTES are held.
    """

    def __init__(self, partitions: int) -> None:
        """`partitions`: what the input topics have on the broker, all the same."""
        self._partitions = partitions
        self._piles: dict[tuple[TopicName, int], _Pile] = {}
        self._held_bytes = 0

    def add(self, event: Outgoing) -> Iterator[Record]:
        """Take an event in; give out the records that this filled."""
        if event.everywhere:
            targets = list(range(self._partitions))
        else:
            targets = [partition_of(event.key, self._partitions)]
        for partition in targets:
            yield from self._pile_up(event, partition)
        if self._held_bytes > MAX_HELD_BYTES:
            yield from self.drain()

    def drain(self) -> Iterator[Record]:
        """Give out everything that is held."""
        for topic, partition in list(self._piles):
            yield self._take(topic, partition)

    def _pile_up(self, event: Outgoing, partition: int) -> Iterator[Record]:
        at = (event.topic, partition)
        pile = self._piles.get(at)
        if pile is not None and pile.size + len(event.value) > MAX_RECORD_BYTES:
            yield self._take(*at)
            pile = None
        if pile is None:
            pile = self._piles[at] = _Pile(event.key)
        pile.values.append(event.value)
        pile.size += len(event.value) + 1
        self._held_bytes += len(event.value) + 1
        if len(pile.values) >= MAX_RECORD_EVENTS:
            yield self._take(*at)

    def _take(self, topic: TopicName, partition: int) -> Record:
        pile = self._piles.pop((topic, partition))
        self._held_bytes -= pile.size
        value = pile.values[0] if len(pile.values) == 1 else b"[" + b",".join(pile.values) + b"]"
        return Record(topic, partition, pile.key, value, len(pile.values))
