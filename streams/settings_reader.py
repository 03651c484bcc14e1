"""Owns the reading of the topic `tenants`: all of it before anything is counted, then what comes, into a settings
book."""

import asyncio
from collections.abc import Callable

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams.kafka import KafkaOptions, ends_of, is_passing, reader_of
from streams.protocol.settings_book import SettingsBook

log = structlog.get_logger()


class SettingsReader:
    """Follows `tenants` with a consumer of its own. `on_change` is told each tenant (or `_provider`) whose settings
    are new,
    `failed` the error that ended it."""

    def __init__(
        self, options: KafkaOptions, on_change: Callable[[str], None], failed: Callable[[BaseException], None]
    ) -> None:
        self.book = SettingsBook()
        self._options = options
        self._on_change = on_change
        self._failed = failed
        self._read_to_end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start following, and return once everything that was there has been read."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="settings-reader")
            self._task.add_done_callback(self._ended)
        waiting = asyncio.create_task(self._read_to_end.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not self._read_to_end.is_set():
            waiting.cancel()
            await self._task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        topic = self._options.topic("tenants")
        async with reader_of(self._options) as reader:
            tps = [TopicPartition(topic, partition) for partition in range(self._options.partitions)]
            ends = await ends_of(reader, tps, exact=self._options.exact_ends)
            reader.assign(tps)
            await reader.seek_to_beginning(*tps)
            behind = {tp for tp in tps if ends[tp] > 0}
            while True:
                behind = {tp for tp in behind if await reader.position(tp) < ends[tp]}
                if not behind:
                    self._read_to_end.set()
                try:
                    fetched = await reader.getmany(timeout_ms=200 if behind else 1_000)
                except KafkaError as error:
                    if not is_passing(error):
                        raise
                    continue
                for records in fetched.values():
                    for record in records:
                        self._apply(record.key, record.value)

    def _apply(self, key: bytes | None, value: bytes | None) -> None:
        if key is None or (key.startswith(b"_") and key != b"_provider"):
            return
        try:
            changed = self.book.apply(key, value)
        except ValueError as error:
            log.error("settings_refused", tenant=key.decode(errors="replace"), error=str(error))
            return
        if changed is not None and self._read_to_end.is_set():
            self._on_change(changed)
