"""Owns the order of changes to the objects of one kind, from which every delta round is cut."""

from collections.abc import Iterable, Iterator

CREATED = "@created"
REMOVED = "@removed"


class ChangeLog:
    """Sequence numbers count from 1. An object stands where it last changed: who changes in mid-round comes again."""

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._history: dict[str, list[tuple[int, frozenset[str]]]] = {}

    @property
    def head(self) -> int:
        """The sequence number of the last change."""
        return len(self._entries)

    def record(self, object_id: str, what: Iterable[str]) -> None:
        """Add a change. `what`: names of properties, ids of members, CREATED or REMOVED."""
        self._entries.append(object_id)
        self._history.setdefault(object_id, []).append((self.head, frozenset(what)))

    def after(self, sequence: int) -> Iterator[tuple[int, str]]:
        """Yield number and id of each object whose last change came after `sequence`, in order."""
        for number in range(sequence + 1, self.head + 1):
            object_id = self._entries[number - 1]
            if self._history[object_id][-1][0] == number:
                yield number, object_id

    def changed(self, object_id: str, since: int) -> frozenset[str]:
        """Return what changed in an object after `since`."""
        return frozenset().union(*(what for number, what in self._history[object_id] if number > since))
