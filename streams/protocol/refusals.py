"""Owns what a meter sends elsewhere: dead letters with their reason, and misrouted events to the partition they
belong to."""

import hashlib

from schemas.identifiers import partition_of, subject_key
from schemas.intake import Reason
from schemas.splitting import split_array
from schemas.times import format_ms
from schemas.topics import TopicName
from schemas.wire import WireObservation
from streams.protocol.effects import Item, LogRecord, Publish

HOP_HEADER = "poolwatch-hop"
MAX_VALUE_BYTES = 512 * 1024


class Refusals:
    """Collects, for one partition of one topic, what is not counted there."""

    def __init__(self, topic: TopicName, partition: int, partitions: int, now_ms: int) -> None:
        self._topic = topic
        self._partition = partition
        self._partitions = partitions
        self._now = format_ms(now_ms)
        self._dead: list[Item] = []
        self._forward: dict[int, list[Item]] = {}
        self._cut: tuple[int, list[bytes]] = (-1, [])

    def original(self, record: LogRecord, index: int) -> bytes:
        """Return the bytes of one event of a record: an array is not repeated for each event of it."""
        value: bytes = record.value
        if value.lstrip()[:1] != b"[":
            return value
        if self._cut[0] != record.offset:
            self._cut = (record.offset, split_array(value))
        return self._cut[1][index]

    def refuse(self, record: LogRecord, index: int, reason: Reason, detail: str, raw: bytes) -> None:
        """Make a dead letter of the original bytes (cut at 512 KiB, with the SHA-256 of the whole)."""
        headers = {
            "reason": reason,
            "detail": detail[:2_000],
            "topic": self._topic,
            "partition": str(self._partition),
            "offset": str(record.offset),
            "index": str(index),
            "failed_at": self._now,
            "length": str(len(raw)),
            "sha256": hashlib.sha256(raw).hexdigest(),
        }
        encoded = tuple((name, value.encode()) for name, value in headers.items())
        self._dead.append(Item(record.key or b"", raw[:MAX_VALUE_BYTES], encoded))

    def misrouted(self, event: WireObservation, record: LogRecord, index: int) -> bool:
        """Tell whether an event belongs to another partition; it is forwarded there once, and refused the second
        time."""
        key = subject_key(event.tenant, event.subject)
        target = partition_of(key, self._partitions)
        if target == self._partition:
            return False
        raw = self.original(record, index)
        if any(name == HOP_HEADER for name, _ in record.headers):
            self.refuse(record, index, "misrouted", f"forwarded once, and still not in its partition {target}", raw)
        else:
            self._forward.setdefault(target, []).append(Item(key, raw, ((HOP_HEADER, b"1"),), record.timestamp))
        return True

    def take(self) -> list[Publish]:
        """Return what must be written, and begin anew."""
        effects = [
            Publish("1-forward", self._topic, partition, items) for partition, items in sorted(self._forward.items())
        ]
        if self._dead:
            effects.append(Publish("1-dead-letters", "dead-letters", self._partition, self._dead))
        self._dead, self._forward = [], {}
        return effects
