"""Owns the ledger of an input topic's partition: which offset is next, and what to do with a batch that does not
begin there.

Faust clears its queues after seeking and does not seek a partition without a committed offset, so a batch can vanish
between fetch and agent;
only the ledger knows (DESIGN §3).
"""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["process", "seek", "skip"]


@dataclass(slots=True)
class Ledger:
    """`next_offset`: the next offset to process, set from the committed offset (or the topic's beginning) at
    assignment."""

    next_offset: int
    _asked: int = -1

    def judge(self, first: int, last: int) -> Verdict:
        """Judge a fetched batch by its first and last offset.

        A batch above the next offset is not processed: `seek` to it, once. A gap that is still there after that seek
        is real (compaction,
        retention), and is stepped over. A batch wholly below is skipped; one that overlaps is processed, its
        beginning trimmed.
        """
        if last < self.next_offset:
            return "skip"
        if first > self.next_offset and self._asked != self.next_offset:
            self._asked = self.next_offset
            return "seek"
        self._asked = -1
        return "process"

    def advance(self, next_offset: int) -> None:
        """Note that everything below the offset has been processed."""
        self.next_offset = max(self.next_offset, next_offset)
