"""Owns which tenants a Graph collector has: those of the partitions of `commands` that its group gave it, as far as
their settings ask for Graph."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import pydantic
import structlog
from aiokafka import ConsumerRebalanceListener

from collectors.errors import PublishFailedError
from collectors.graph.api.clouds import Cloud, GraphTenant
from collectors.graph.collector import GraphCollector
from collectors.graph.reading.parts import Outcome, PartStates, States
from collectors.graph.reading.rounds import GRAPH
from runtime.graph_access import GraphSetupError, graph_tenant
from schemas.commands import CommandModel, Notified, Refresh, SyncRun
from schemas.identifiers import partition_of
from schemas.settings import CloudName, TenantSettings
from schemas.sources import SourceState
from streams.kafka import KafkaOptions, read_from
from streams.protocol.settings_book import SettingsBook

AGAIN_S: Final = 1.0
"""After the broker did not take what was to be said of a tenant."""
_HEARD: Final = (b'"refresh"', b'"notified"', b'"sync_run"')

log = structlog.get_logger()


class Roster(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped for us
    """Gives tenants to a collector and takes them away. `book` holds the settings of all tenants; `failed` is told what
    must end the process."""

    def __init__(
        self,
        collector: GraphCollector,
        states: States,
        book: SettingsBook,
        options: KafkaOptions,
        clouds: Mapping[CloudName, Cloud],
        now: Callable[[], datetime],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._failed = failed
        self._collector = collector
        self._states = states
        self._book = book
        self._options = options
        self._clouds = clouds
        self._now = now
        self._mine: set[int] = set()
        self._changed: asyncio.Queue[tuple[str, list[SourceState]]] = asyncio.Queue()

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Go on: every change of the group takes all partitions, and gives most of them back at once. Should another
        collector have one meanwhile, both tell the same."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Leave the tenants of partitions that another collector has now, and take those of new ones, with what their
        last collector wrote of them."""
        now_mine = {tp.partition for tp in assigned}
        try:
            await self._share_out(self._mine - now_mine, now_mine - self._mine)
        except Exception as error:  # noqa: BLE001 -- the client would log it, and go on without the tenants
            self._failed(error)
            return
        self._mine = now_mine
        log.info("graph_collector_assigned", partitions=sorted(self._mine))

    async def _share_out(self, gone: set[int], new: set[int]) -> None:
        for tenant in list(self._book.tenants()):
            if self._partition(tenant) in gone:
                self._collector.leave(tenant)
        known: defaultdict[str, dict[str, SourceState]] = defaultdict(dict)
        for partition in sorted(new):
            async for records in read_from(self._options, self._options.topic("sources"), partition):
                for record in records:
                    _note(known, record.key, record.value)
        # Also those that have no settings any more: somebody has to forget their parts.
        for tenant in {*self._book.tenants(), *known}:
            if self._partition(tenant) in new:
                self._changed.put_nowait((tenant, list(known[tenant].values())))

    def settings_changed(self, tenant: str) -> None:
        """Take note that a tenant's settings are new."""
        self._changed.put_nowait((tenant, []))

    async def follow_settings(self) -> None:
        """Act on new tenants and new settings until cancelled."""
        while True:
            tenant, known = await self._changed.get()
            if self._partition(tenant) not in self._mine:
                continue
            known = self._collector.states(tenant) or known
            try:
                await self._look_at(tenant, known)
            except PublishFailedError as error:
                log.warning("graph_tenant_waits", tenant=tenant, reason=str(error))
                self._changed.put_nowait((tenant, known))
                await asyncio.sleep(AGAIN_S)

    def take(self, value: bytes | None) -> None:
        """Take a command: those to a collector are passed on, others are for others."""
        if value is None or not any(kind in value for kind in _HEARD):
            return
        try:
            command = CommandModel.validate_json(value)
        except pydantic.ValidationError:
            return  # the counter tells of it in the dead letters
        if isinstance(command, Refresh):
            self._collector.refresh(command.tenant, command.id)
        elif isinstance(command, Notified) and command.source == GRAPH:
            self._collector.notified(command)
        elif isinstance(command, SyncRun) and command.source != GRAPH:
            self._collector.disturbed(command.tenant, command.facet)

    def ms_tenant_of(self, tenant: str) -> str | None:
        """Return the Microsoft id of a tenant that Graph is read of, whoever collects it."""
        settings = self._read_of(tenant)
        return settings.ms_tenant_id if settings else None

    async def _look_at(self, tenant: str, known: Iterable[SourceState]) -> None:
        settings = self._read_of(tenant)
        if settings is None or settings.graph is None:
            await self._collector.forget(tenant, known)
            return
        try:
            access = graph_tenant(settings, self._clouds)
        except GraphSetupError as error:
            self._collector.leave(tenant)
            parts = PartStates(GraphTenant(tenant, ""), self._states, self._now, known)
            await parts.end("users", Outcome("failing", str(error)))
            return
        self._collector.collect(access, settings.graph.template_groups, known)

    def _read_of(self, tenant: str) -> TenantSettings | None:
        """Return the settings of a tenant if they ask for Graph."""
        settings = self._book.get(tenant)
        if isinstance(settings, TenantSettings) and settings.graph is not None and not settings.is_removed:
            return settings
        return None

    def _partition(self, tenant: str) -> int:
        return partition_of(tenant.encode(), self._options.partitions)


def _note(known: defaultdict[str, dict[str, SourceState]], key: bytes | None, value: bytes | None) -> None:
    tenant, _, rest = (key or b"").decode("utf-8", "replace").partition("/")
    source, _, part = rest.partition("/")
    if source != GRAPH:
        return
    known[tenant].pop(part, None)
    if value is None:
        return
    try:
        known[tenant][part] = SourceState.model_validate_json(value)
    except pydantic.ValidationError:
        # Without it the tenant is read whole, which mends it.
        log.warning("source_state_unreadable", tenant=tenant, part=part)
