"""Owns what waits for one channel: which messages go out now, singly or as one. Pure; times in ms since 1970."""

from collections.abc import Iterable

from streams.notify.channels import Channel, told_from
from streams.notify.messages import Message

STORM = 10
"""More than this at once go out as one: nobody reads a hundred mails, and no service likes to get them."""
MOST_IN_ONE = 100


class Waiting:
    """The messages that one channel has not taken yet, in the order in which they came about."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._messages: dict[str, Message] = {}
        self._not_before = 0

    def add(self, message: Message) -> None:
        """Take a message; one that waits already stays as it is."""
        self._messages.setdefault(message.alert.id, message)

    def done(self, messages: Iterable[Message]) -> None:
        """Forget messages that were taken, or given up."""
        for message in messages:
            self._messages.pop(message.alert.id, None)

    def again(self, messages: Iterable[Message], at: int) -> None:
        """Keep messages that were not taken, and leave the channel alone until then: it is likely to take no other."""
        for message in messages:
            self._messages[message.alert.id] = message
        self._not_before = at

    def ready_at(self, now: int) -> int | None:
        """Return when the next message goes out, None where nothing waits."""
        instants = [self._ready(message, now) for message in self._messages.values()]
        return max(self._not_before, min(instants)) if instants else None

    def take(self, now: int) -> list[Message]:
        """Return what goes out now as one: a single message, or a digest."""
        ready = self.ready_at(now)
        if ready is None or ready > now:
            return []
        free = [message for message in self._messages.values() if self._may_go(message, now)]
        free.sort(key=lambda message: message.alert.at)
        if self._channel.digest_ms or len(free) > STORM:
            return free[:MOST_IN_ONE]
        return [message for message in free if self._ready(message, now) <= now][:1]

    def _may_go(self, message: Message, now: int) -> bool:
        return message.due_ms <= now and told_from(self._channel.quiet, message.alert.level, now) <= now

    def _ready(self, message: Message, now: int) -> int:
        gathered = round(message.alert.at.timestamp() * 1_000) + self._channel.digest_ms
        earliest = max(message.due_ms, gathered if self._channel.digest_ms else 0)
        return told_from(self._channel.quiet, message.alert.level, max(earliest, now) if earliest <= now else earliest)
