"""Owns what waits for one channel: which messages go out now, singly or as one. Pure; times in ms since 1970."""

from collections.abc import Iterable, Iterator

from schemas.alert import AlertLevel
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
        self._failures = 0
        """In a row, the first of them at `_failing_since`."""
        self._failing_since = 0
        self._most = MOST_IN_ONE
        """In one: fewer after each failure, so that one that is refused, or too much at once, stops no others."""

    def add(self, message: Message) -> None:
        """Take a message; one that waits already stays as it is."""
        self._messages.setdefault(message.alert.id, message)

    def taken(self, messages: Iterable[Message]) -> None:
        """Forget messages that the channel has taken."""
        self.done(messages)
        self._failures = 0
        self._most = min(self._most * 2, MOST_IN_ONE)

    def done(self, messages: Iterable[Message]) -> None:
        """Forget messages that are told, or given up."""
        for message in messages:
            self._messages.pop(message.alert.id, None)

    def failed(self, now: int) -> int:
        """Note that the channel did not take what was tried; return how often in a row."""
        if not self._failures:
            self._failing_since = now
        self._failures += 1
        self._most = max(1, self._most // 2)
        return self._failures

    def again(self, messages: Iterable[Message], not_before: int) -> None:
        """Keep messages that were not taken, and leave the channel alone until then: it is likely to take no other."""
        for message in messages:
            self._messages[message.alert.id] = message
        self._not_before = not_before

    def hopeless(self, now: int, after_ms: int) -> list[Message]:
        """Return what could go out and has waited for so long, if the channel has failed for as long."""
        if not self._failures or now - self._failing_since < after_ms:
            return []
        heard = self._heard(now)
        return [
            message
            for message in self._messages.values()
            if message.alert.level in heard and _at_ms(message) <= now - after_ms
        ]

    def ready_at(self, now: int) -> int | None:
        """Return when the next message goes out, None where nothing waits."""
        earliest: dict[AlertLevel | None, int] = {}
        for message, due in self._dues():
            level = message.alert.level
            earliest[level] = min(earliest.get(level, due), due)
        # What is told later is never heard earlier, so the first of each level stands for the rest.
        instants = [told_from(self._channel.quiet, level, max(at, now)) for level, at in earliest.items()]
        return max(self._not_before, min(instants)) if instants else None

    def take(self, now: int) -> list[Message]:
        """Return what goes out now as one: a single message, or a digest."""
        ready = self.ready_at(now)
        if ready is None or ready > now:
            return []
        heard = self._heard(now)
        free = [message for message, due in self._dues(gather=False) if due <= now and message.alert.level in heard]
        free.sort(key=lambda message: message.alert.at)
        return free[: self._most] if self._channel.digest_ms or len(free) > STORM else free[:1]

    def _heard(self, now: int) -> set[AlertLevel | None]:
        levels = {message.alert.level for message in self._messages.values()}
        return {level for level in levels if told_from(self._channel.quiet, level, now) <= now}

    def _dues(self, *, gather: bool = True) -> Iterator[tuple[Message, int]]:
        """Yield each message with when it may go: not before what came earlier of the same alert, so that nobody hears
        of an end before its beginning; if `gather`, not before the digest is full."""
        digest_ms = self._channel.digest_ms if gather else 0
        before: dict[tuple[str, str], int] = {}
        for message in self._messages.values():
            due = max(message.due_ms, before.get(_key(message), 0), _at_ms(message) + digest_ms if digest_ms else 0)
            before[_key(message)] = due
            yield message, due


def _key(message: Message) -> tuple[str, str]:
    return message.alert.tenant, message.alert.rule


def _at_ms(message: Message) -> int:
    return round(message.alert.at.timestamp() * 1_000)
