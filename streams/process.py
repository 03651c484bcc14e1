"""Owns what the meter's and the counter's process have in common: the Faust app, its agents, pipelines by
assignment, settings."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

import structlog
from aiokafka import AIOKafkaProducer
from faust.types import TP

from schemas.topics import TopicName
from streams.batch_transport import BatchApp, BatchConsumer, batch_topic
from streams.kafka import KafkaOptions, new_producer
from streams.metrics import holdings, partitions, work
from streams.pipeline import Pipelines, Worker
from streams.protocol.owned_log import NewerFormatError, SupersededError
from streams.settings_reader import SettingsReader

log = structlog.get_logger()


class Process:
    """A Faust app whose agents hand batches to pipelines, one a partition, each with a worker made by `new_worker`."""

    def __init__(
        self,
        name: str,
        options: KafkaOptions,
        topics: Iterable[TopicName],
        new_worker: Callable[["Process", int], Worker],
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """`on_ready` is called whenever all partitions of an assignment have recovered."""
        by_name = {options.topic(topic): topic for topic in topics}
        self.app = BatchApp(name, options, by_name)
        self.settings = SettingsReader(options, self._settings_changed, self._failed)
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._crash: asyncio.Future[None] | None = None
        self._pipelines = Pipelines(name, lambda partition: new_worker(self, partition), options, by_name, on_ready)
        work.begin(name, by_name.values())
        partitions.watch(name, self._pipelines)
        holdings.watch(name, self._pipelines)
        signals: Any = self.app
        signals.on_partitions_assigned.connect(self._assigned, weak=False)
        signals.on_partitions_revoked.connect(self._revoked, weak=False)
        signals.on_before_shutdown.connect(self._shutdown, weak=False)
        for full_name, topic in by_name.items():
            self.app.agent(batch_topic(self.app, full_name), name=f"{name}-{topic}")(self._agent)

    async def _agent(self, stream: Any) -> None:
        async for event in stream.noack().events():
            self._pipelines.route(event.message.tp, event.value)
            event.ack()  # lets Faust forget it; what is committed is decided by the pipelines alone

    @property
    def producer(self) -> AIOKafkaProducer:
        """The started producer."""
        assert self._producer is not None
        return self._producer

    @property
    def consumer(self) -> BatchConsumer:
        """The app's consumer."""
        return cast(BatchConsumer, self.app.consumer)

    async def _assigned(self, _: Any, assigned: set[TP], **__: Any) -> None:
        if self._producer is None:
            self._producer = new_producer(self._options)
            await self._producer.start()
        await self.settings.start()
        await self._pipelines.stop()
        self._pipelines.start(self.consumer, assigned, self._failed)

    async def _revoked(self, *_: Any, **__: Any) -> None:
        await self._pipelines.stop()

    async def _shutdown(self, *_: Any, **__: Any) -> None:
        await self._pipelines.stop()
        await self.settings.stop()
        if self._producer is not None:
            await self._producer.stop()

    def _failed(self, error: BaseException) -> None:
        if self._crash is None:
            superseded = isinstance(error, SupersededError)
            newer = isinstance(error, NewerFormatError)
            log.error(
                "worker_failed",
                app=self.app.conf.id,
                error=type(error).__name__,
                detail=str(error),
                todo="start it again: another worker has its partitions"
                if superseded
                else "upgrade it: it will not run on these topics"
                if newer
                else "start it again",
                exc_info=None if superseded or newer else error,
            )
            self._crash = asyncio.ensure_future(self.app.crash(error))

    def _settings_changed(self, tenant: str) -> None:
        self._pipelines.settings_changed(tenant)
