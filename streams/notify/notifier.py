"""Owns the telling: each channel has a task of its own, so that one that hangs delays no other. Holds nothing that
may be lost: what was not told is submitted again after a start."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import structlog

from streams.clock import now_ms
from streams.notify.channels import Channel
from streams.notify.messages import Message, Outcome
from streams.notify.retry import GIVEN_UP_MS, SendError, as_send_error, pause_ms, wait_ms
from streams.notify.senders import Sender
from streams.notify.waiting import Waiting

log = structlog.get_logger()


class Notifier:
    """Tells messages by their channels, tries again what was not taken, and reports every try."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        senders: Mapping[str, Sender],
        report: Callable[[Outcome], None],
        clock: Callable[[], int] = now_ms,
    ) -> None:
        """`senders`: by kind of channel. To be made within a running loop."""
        self._channels, self._senders = channels, senders
        self._report, self._clock = report, clock
        self._chance = random.Random()
        self._waiting: dict[str, Waiting] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def submit(self, messages: Iterable[Message]) -> None:
        """Take messages; one that waits already is not taken twice. One without a channel is given up."""
        for message in messages:
            if message.channel not in self._channels:
                gone = SendError("there is no such channel in the settings any more", for_good=True)
                self._report(_outcome(message, "given_up", message.attempts, 0, gone))
                continue
            if message.channel not in self._waiting:
                self._begin(message.channel)
            self._waiting[message.channel].add(message)
            self._news[message.channel].set()

    def _begin(self, name: str) -> None:
        self._waiting[name] = Waiting(self._channels[name])
        self._news[name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._tell(self._channels[name]), name=f"channel-{name}"))

    async def close(self) -> None:
        """End; a message in mid-sending may be told again after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sender in self._senders.values():
            await sender.close()

    async def _tell(self, channel: Channel) -> None:
        waiting, news = self._waiting[channel.name], self._news[channel.name]
        while True:
            news.clear()
            batch = waiting.take(self._clock())
            if batch:
                await self._try(channel, waiting, batch)
                continue
            ready = waiting.ready_at(self._clock())
            wait_s = None if ready is None else max(0.0, (ready - self._clock()) / 1_000)
            try:
                # Not wait_for: that may swallow the cancellation by `close`.
                async with asyncio.timeout(wait_s):
                    await news.wait()
            except TimeoutError:
                continue

    async def _try(self, channel: Channel, waiting: Waiting, batch: Sequence[Message]) -> None:
        tried = [replace(message, attempts=message.attempts + 1) for message in batch]
        try:
            await self._senders[channel.kind].send(channel, batch, self._clock())
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything, and must not end the telling
            self._note(channel, waiting, tried, as_send_error(error))
        else:
            waiting.taken(batch)
            for message in tried:
                self._report(_outcome(message, "delivered", message.attempts))

    def _note(self, channel: Channel, waiting: Waiting, tried: Sequence[Message], error: SendError) -> None:
        most = max(message.attempts for message in tried)
        log.warning("not_told", channel=channel.name, messages=len(tried), attempts=most, error=str(error))
        said, now = error.of_one_in(len(tried)), self._clock()
        not_before = now + pause_ms(waiting.failed(now), said, self._chance)
        kept, gone = [], []
        for message in tried:
            wait = wait_ms(message.attempts, said, self._chance)
            if wait is None:
                gone.append(message)
            else:
                kept.append(replace(message, due_ms=max(now + wait, not_before)))
        waiting.again(kept, not_before)
        waiting.done(gone)
        # A channel that is away for a day would keep each of many messages for as many tries, one after another.
        hopeless = waiting.hopeless(now, GIVEN_UP_MS)
        waiting.done(hopeless)
        ids = {message.alert.id for message in hopeless}
        for message in [*gone, *hopeless]:
            self._report(_outcome(message, "given_up", message.attempts, 0, error))
        for message in kept:
            if message.alert.id not in ids:
                self._report(_outcome(message, "failed", message.attempts, message.due_ms, error))


def _outcome(message: Message, state: str, attempts: int, next_ms: int = 0, error: SendError | None = None) -> Outcome:
    alert = message.alert
    said = None if error is None else str(error)
    return Outcome(alert.id, alert.tenant, alert.rule, message.channel, state, attempts, next_ms, said)  # type: ignore[arg-type]
