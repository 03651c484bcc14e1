"""Owns how far refreshes are as listeners of the stream are told: in one log, encoded once, each listener a place in
it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from portal.refreshes import KEPT, Progress
from portal.services import Audience
from schemas.alert import Alert
from schemas.count import Count


@dataclass(frozen=True, slots=True)
class _Entry:
    place: int
    tenant: str
    done: bool
    text: bytes


@dataclass(frozen=True, slots=True)
class RefreshNews:
    """The newest of some refreshes. There are no counts and alerts in it, and no id: nobody resumes after a refresh."""

    text: bytes
    counts: Sequence[Count] = ()
    alerts: Sequence[Alert] = ()
    id: str = ""


class RefreshLog:
    """The newest progress of each refresh told of last, oldest first."""

    def __init__(self) -> None:
        self._newest: dict[str, _Entry] = {}
        self.end = 0

    def keep(self, progress: Progress) -> None:
        """Put a progress at the end, in place of an older one of its refresh."""
        self.end += 1
        text = b"event: refresh\ndata: " + progress.model_dump_json().encode() + b"\n\n"
        # Taken out first: the order of the dictionary is the order of places.
        self._newest.pop(progress.id, None)
        self._newest[progress.id] = _Entry(self.end, progress.tenant, progress.done, text)
        if len(self._newest) > KEPT:
            del self._newest[next(iter(self._newest))]

    def listen(self, audience: Audience) -> "RefreshListener":
        """Return a listener to refreshes of some tenants, or of all (None)."""
        return RefreshListener(self, audience)

    def entries(self, place: int) -> list[_Entry]:
        """Return what was told after a place, oldest first."""
        return list(takewhile(lambda entry: entry.place > place, reversed(self._newest.values())))[::-1]


class RefreshListener:
    """One listener: its place in the log. It is told of refreshes that go on, and of an end since it came."""

    def __init__(self, log: RefreshLog, audience: Audience) -> None:
        self._log, self._audience = log, audience
        self._began, self._place = log.end, 0

    def next(self) -> RefreshNews | None:
        """Return what is new since the last time, or None."""
        if self._place == self._log.end:
            return None
        told = [entry.text for entry in self._log.entries(self._place) if self._concerns(entry)]
        self._place = self._log.end
        return RefreshNews(b"".join(told)) if told else None

    def _concerns(self, entry: _Entry) -> bool:
        hears = self._audience is None or entry.tenant in self._audience
        return hears and (not entry.done or entry.place > self._began)
