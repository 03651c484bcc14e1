"""Owns the right to write a partition of a compacted topic: claims, epochs, and what to do about a stranger's records.

A worker that was stopped in mid-write and woken after another took over would put old records over new ones. So the
owner's first record is
a claim; the claim's offset is its epoch; and since it is the only writer, it knows beforehand where its next batch
must land.
"""

import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Protocol

from streams.protocol.effects import Append, Appended, Effect, Item, LogRecord, ReadBack
from streams.protocol.record import CLAIM_PREFIX, EPOCH_HEADER, epoch_bytes, epoch_of, with_epoch

JSON_CLAIM_PREFIX = b"_claim/"
"""Of claims among records of JSON, whose other readers pass over keys that begin with `_`."""
_CLAIM_BODY = len(b"\x00" + epoch_bytes(0))
FORMAT = 1
"""Of what stands in the logs that have owners (meter-state-changelog, license-counts, alert-state). It is raised when
an older process would misread the records, or write some that spoil them; a new key of a JSON record does neither."""


class NewerFormatError(Exception):
    """The log has had an owner of a newer version: this one would misread it, or spoil it. The process must end."""


def refuse_newer(record: LogRecord) -> None:
    """Raise NewerFormatError for a claim of an owner whose format this version does not know."""
    # The claims of the first version end before it.
    found = (record.value or b"")[_CLAIM_BODY : _CLAIM_BODY + 1] or b"\x01"
    if found[0] > FORMAT:
        raise NewerFormatError(
            f"the claim at offset {record.offset} is of an owner that writes format {found[0]}, and this version knows"
            f" format {FORMAT}: run the version that wrote it or a later one, or fill new topics from ClickHouse"
            " (`poolwatch rebuild kafka`)"
        )


class SupersededError(Exception):
    """Another owner has claimed the partition: whatever is in hand must be dropped, and the process must end or
    rejoin."""


class Recovery:
    """Reads a log from its beginning: ignores records of a lower epoch after a higher claim, and remembers their
    keys."""

    def __init__(self, install: Callable[[bytes, bytes | None], None]) -> None:
        self._install = install
        self.claim = -1
        self.position = 0
        self.strays: set[bytes] = set()

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Apply records in the order of their offsets. Raises NewerFormatError."""
        for record in records:
            self.position = record.offset + 1
            key, value = record.key, record.value
            if key.startswith(CLAIM_PREFIX):
                refuse_newer(record)
                self.claim = record.offset
            elif self.claim >= 0 and epoch_of_record(value, record.headers) < self.claim:
                self.strays.add(key)
            else:
                self._install(key, value)
                self.strays.discard(key)


def epoch_of_record(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> int:
    """Return the epoch that a record was written in; of a deletion it stands in a header."""
    if value is not None:
        return epoch_of(value)
    return next((int.from_bytes(data, "big") for name, data in headers if name == EPOCH_HEADER), -1)


class Recovering(Protocol):
    """What has read a log so far; `strays` are keys whose newest record is not the one that counts."""

    position: int
    strays: set[bytes]

    def apply(self, records: Iterable[LogRecord]) -> None:
        """Apply records in the order of their offsets."""


class RecoveringJson(Recovering, Protocol):
    """What has read a log whose values are JSON with their epoch in it."""

    highest_epoch: int


class InEpoch(Protocol):
    """What writes its epoch into all it publishes."""

    epoch: int


class OwnedLog:
    """The owner's side: its epoch, and the offset at which its next record must land."""

    def __init__(
        self,
        current: Callable[[bytes], bytes | None],
        claim_prefix: bytes = CLAIM_PREFIX,
        restamp: Callable[[bytes, bytes], bytes] = with_epoch,
        beside: Callable[[bytes], bytes] = lambda key: key,
    ) -> None:
        """`current`: returns the value that a key has now, counting what is being written (None = deleted);
        `restamp`: puts the
        owner's epoch into such a value.; `beside`: the key that must be
        written along with another."""
        self._current = current
        self._claim_prefix = claim_prefix
        self._restamp = restamp
        self._beside = beside
        self.epoch = -1
        self.epoch_bytes = epoch_bytes(0)
        self.next_offset = 0

    def claim(self, recovery: Recovering) -> Generator[Effect, Any, None]:
        """Append a claim, apply what was written since the recovery's last read, and write strays' keys again."""
        claim = Item(self._claim_prefix + uuid.uuid4().hex.encode(), b"\x00" + epoch_bytes(0) + bytes((FORMAT,)))
        (appended,) = yield Append("0-claim", [claim])
        offset = appended.base_offset
        if offset > recovery.position:
            recovery.apply((yield ReadBack("0-gap", recovery.position, offset)))
        self.epoch, self.epoch_bytes, self.next_offset = offset, epoch_bytes(offset), offset + 1
        if recovery.strays:
            yield from self.append("0-heal", self._again(recovery.strays))

    def claim_beyond(self, recovery: RecoveringJson, owner: InEpoch) -> Generator[Effect, Any, None]:
        """Claim a log whose values are JSON with their epoch in it, for an owner that gets one above all that it read.

        An embedded broker forgets its offsets, so the epoch also exceeds that of every value written so far.
        """
        owner.epoch = recovery.highest_epoch + 1
        yield from self.claim(recovery)
        owner.epoch = max(self.epoch, recovery.highest_epoch + 1)

    def append(self, step: str, items: Sequence[Item]) -> Generator[Effect, Any, None]:
        """Append records. Where a stranger's records lie between them, their keys are written again.

        Raises SupersededError where a stranger has claimed the log.
        """
        while items:
            strange: set[bytes] = set()
            acknowledgements: list[Appended] = yield Append(step, items)
            for base_offset, count in acknowledgements:
                if base_offset != self.next_offset:
                    strange |= self._strangers((yield ReadBack(f"{step}-stranger", self.next_offset, base_offset)))
                self.next_offset = base_offset + count
            items = self._again(strange)
            step = f"{step.partition('-')[0]}-heal"

    def look_after(self, end_offset: int) -> Generator[Effect, Any, None]:
        """Write again what strangers have written since the owner's last record. `end_offset`: the log's, just read.

        An owner that has nothing to write would not notice, and compaction would keep the stranger's records: so this
        comes more often than `min.compaction.lag.ms`. Raises SupersededError as `append` does.
        """
        if end_offset > self.next_offset:
            strange = self._strangers((yield ReadBack("0-look", self.next_offset, end_offset)))
            self.next_offset = end_offset
            yield from self.append("0-heal", self._again(strange))

    def deletion(self, key: bytes) -> Item:
        """Return the record that deletes a key."""
        return Item(key, None, ((EPOCH_HEADER, self.epoch_bytes),))

    def _strangers(self, records: Iterable[LogRecord]) -> set[bytes]:
        keys = set()
        for record in records:
            if record.key.startswith(self._claim_prefix):
                raise SupersededError(f"offset {record.offset} claims the log, which epoch {self.epoch} owned")
            keys.add(record.key)
        return keys

    def _again(self, keys: Iterable[bytes]) -> list[Item]:
        items = []
        for key in sorted({*keys, *map(self._beside, keys)}):
            value = self._current(key)
            items.append(self.deletion(key) if value is None else Item(key, self._restamp(value, self.epoch_bytes)))
        return items
