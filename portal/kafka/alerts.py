"""Owns how the portal learns of alerts that opened before the topic `alerts` begins: from ClickHouse, once, in the
background, as often as it takes."""

import asyncio
from typing import Self

import anyio.to_thread
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from portal.kafka.live import LiveTopics
from portal.kafka.reading import Reading
from portal.ports import Store

log = structlog.get_logger()

_RETRY_S = 5.0


class EarlierAlerts(Reading):
    """Completes the live view. Use as `async with`; nobody waits for it: counts are there without ClickHouse."""

    def __init__(self, store: Store, live: LiveTopics) -> None:
        self._store, self._live = store, live

    async def __aenter__(self) -> Self:
        self._begin(self._read(), "portal-earlier-alerts")
        return self

    async def _read(self) -> None:
        while not self._live.alerts.complete:
            try:
                found = await anyio.to_thread.run_sync(self._store.open_alerts)
            except ClickHouseError as error:
                log.warning("earlier_alerts_unreadable", error=type(error).__name__, next_try_s=_RETRY_S)
                await asyncio.sleep(_RETRY_S)
            else:
                self._live.add_earlier(found)
