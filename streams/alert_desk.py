"""Owns what the partitions of an alert process share: to whom messages go, and what came of them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from schemas.identifiers import partition_of
from streams.metrics import alerting
from streams.notify.messages import Message, Outcome


class Telling(Protocol):
    """Who tells people (`streams.notify`)."""

    def submit(self, messages: Iterable[Message]) -> None:
        """Take messages; one that is in hand already is not taken twice."""

    async def close(self) -> None:
        """End; what was not told is submitted again after the next start."""


Report = Callable[[Outcome], None]


class Desk:
    """What the partitions of a process share: to whom messages go, and what came of them."""

    def __init__(self, partitions: int, new_telling: Callable[[Report], Telling] | None = None) -> None:
        """`new_telling(report)` is called once there is a loop; None where there are no channels."""
        self._partitions = partitions
        self._new_telling = new_telling
        self._telling: Telling | None = None
        self._outcomes: dict[int, list[Outcome]] = defaultdict(list)

    def submit(self, messages: Iterable[Message]) -> None:
        """Hand on what is to be told, but what has been told meanwhile and is not noted yet."""
        told = {
            (outcome.alert_id, outcome.channel)
            for outcomes in self._outcomes.values()
            for outcome in outcomes
            if outcome.state != "failed"
        }
        messages = [message for message in messages if (message.alert.id, message.channel) not in told]
        if self._telling is None and self._new_telling is not None:
            self._telling = self._new_telling(self._report)
        if self._telling is not None:
            self._telling.submit(messages)

    def _report(self, outcome: Outcome) -> None:
        alerting.tried(outcome)
        self._outcomes[partition_of(outcome.tenant.encode(), self._partitions)].append(outcome)

    def take(self, partition: int) -> list[Outcome]:
        """Return what became of the messages of a partition's tenants since the last call."""
        return self._outcomes.pop(partition, [])

    async def close(self, *_: Any, **__: Any) -> None:
        """Let nobody be told any more."""
        if self._telling is not None:
            await self._telling.close()
            self._telling = None
