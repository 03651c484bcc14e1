"""Owns the live view: the newest count, settings, sources and alerts of every tenant, read from `license-counts`,
`tenants`, `sources` and `alerts`; and, by them, how far refreshes are."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self

import pydantic
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from portal.alerts import AlertBook
from portal.kafka.reading import Reading
from portal.refreshes import Progress, RefreshBook, progress
from portal.services import Audience, Subscription
from portal.sources import SourceBook
from portal.stream import CountStream
from schemas.alert import Alert
from schemas.commands import Refresh
from schemas.count import Count
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import ProviderSettings, TenantSettings
from schemas.times import from_ms
from schemas.topics import full_name

log = structlog.get_logger()

_RETRY_S = 1.0


class LiveTopics(Reading):
    """Counts, settings, sources and alerts from a plain consumer. Use as `async with`; `ready` once all that was there
    is read.

    `consumer` is a started aiokafka consumer without a group, given over for good. `generation` names the life of the
    broker's data: ids of the stream given out in another one resume nothing (embedded, the broker forgets its offsets).
    """

    def __init__(self, consumer: Any, prefix: str, partitions: int, generation: str = "") -> None:
        self._consumer = consumer
        self._counts_topic, self._sources_topic = full_name(prefix, "license-counts"), full_name(prefix, "sources")
        self._alerts_topic = full_name(prefix, "alerts")
        self._places = [
            TopicPartition(topic, number)
            for topic in (full_name(prefix, "tenants"), self._counts_topic, self._sources_topic, self._alerts_topic)
            for number in range(partitions)
        ]
        self._counts: dict[str, Count] = {}
        self._settings: dict[str, TenantSettings] = {}
        self._provider = ProviderSettings()
        self.sources = SourceBook()
        self.alerts = AlertBook()
        self._stream = CountStream(partitions, generation)
        self.refreshes = RefreshBook(self._far, self._stream.tell)
        self._caught_up = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._consumer.assign(self._places)
        await self._consumer.seek_to_beginning(*self._places)
        self._begin(self._read(), "portal-live-counts")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        self._stream.close()

    @property
    def ready(self) -> bool:
        """Whether all that was there at the start has been read, and reading goes on."""
        return self._caught_up.is_set() and self._reader is not None and not self._reader.done()

    async def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the first reading to end. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._caught_up.wait()

    def count(self, tenant: str) -> Count | None:
        return self._counts.get(tenant)

    def counts(self) -> Mapping[str, Count]:
        return self._counts

    def settings(self, tenant: str) -> TenantSettings | None:
        return self._settings.get(tenant)

    def all_settings(self) -> Mapping[str, TenantSettings]:
        return self._settings

    def provider(self) -> ProviderSettings:
        return self._provider

    def newest_id(self, audience: Audience) -> str:
        return self._stream.newest_id(audience)

    def subscribe(self, audience: Audience, last_id: str | None) -> AbstractAsyncContextManager[Subscription]:
        return self._stream.subscribe(audience, last_id)

    async def _read(self) -> None:
        ends: dict[Any, int] | None = None
        while True:
            try:
                ends = ends or await self._consumer.end_offsets(self._places)
                batches = await self._consumer.getmany(timeout_ms=200, max_records=2_000)
                for place, records in batches.items():
                    for record in records:
                        self._take(place, record)
                if not self._caught_up.is_set() and await self._has_reached(ends):
                    self._caught_up.set()
            except KafkaError as error:
                log.warning("live_topics_unreadable", error=str(error))
                await asyncio.sleep(_RETRY_S)
            # A long backlog is read in slices between which requests are answered.
            await asyncio.sleep(0)

    async def _has_reached(self, ends: Mapping[Any, int]) -> bool:
        for place, end in ends.items():
            if await self._consumer.position(place) < end:
                return False
        return True

    def _take(self, place: Any, record: Any) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        try:
            if place.topic == self._sources_topic:
                self.sources.take(key, record.value)
                self.refreshes.look(key.partition("/")[0])
            elif place.topic == self._alerts_topic:
                if (alert := self.alerts.take(record.value)) is not None:
                    self._stream.publish_alert(alert, place.partition, record.offset)
            elif place.topic != self._counts_topic:
                self._take_settings(key, record)
            elif not key.startswith("_"):
                self._take_count(key, place.partition, record)
        except pydantic.ValidationError as error:
            # Skipped, for one rubbish record must not hide all other tenants; the offset finds it again.
            log.error("live_record_unreadable", topic=place.topic, partition=place.partition, offset=record.offset,
                      problems=error.error_count())  # fmt: skip

    def _take_settings(self, key: str, record: Any) -> None:
        value = record.value
        if key == PROVIDER_KEY:
            provider = (
                ProviderSettings() if value is None else ProviderSettings.model_validate_json(value, extra="ignore")
            )
            if value is None or provider.revision >= self._provider.revision:
                self._provider = provider
        elif value is None:
            self._settings.pop(key, None)
            self._stream.forget(key, self.alerts.forget(key, from_ms(record.timestamp)))
        else:
            settings = TenantSettings.model_validate_json(value, extra="ignore")
            known = self._settings.get(key)
            # A counter that lost its partition may still write; what it writes has a lower revision.
            if known is None or settings.revision >= known.revision:
                self._settings[key] = settings

    def _take_count(self, key: str, partition: int, record: Any) -> None:
        if record.value is None:
            self._counts.pop(key, None)
            self._stream.forget(key)
            return
        count = Count.model_validate_json(record.value)
        known = self._counts.get(key)
        # A counter that lost its partition may still write; what it writes has a lower epoch.
        if known is None or (count.epoch, count.version) > (known.epoch, known.version):
            self._counts[key] = count
            self._stream.publish(count, partition, record.offset)
            self.refreshes.look(key)

    def add_earlier(self, alerts: Iterable[Alert]) -> None:
        """Take the open alerts that the topic does not hold any more; those that it holds are newer, and stay."""
        for alert in alerts:
            if self.alerts.put(alert):
                self._stream.publish_alert(alert, 0, -1)
        self.alerts.complete = True

    def _far(self, refresh: Refresh) -> Progress:
        count = self._counts.get(refresh.tenant)
        return progress(refresh, self.sources.of(refresh.tenant), count.freshness if count is not None else {})
