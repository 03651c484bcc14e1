"""Counts of tenants as a counter would publish them, and what an alert process made of them."""

import uuid
from datetime import UTC, datetime
from typing import Any

from schemas.alert import Alert, Delivery
from schemas.commands import AcknowledgeAlert
from schemas.settings import TenantSettings
from tests.support.alerts import count_at
from tests.support.streams_world import StreamsWorld


class AlertWorld:
    """The topics of a world, as an alert process sees them."""

    def __init__(self, world: StreamsWorld) -> None:
        self.world = world
        self._version = 0

    async def set(self, tenant: str, revision: int = 1, **alerts: Any) -> None:
        """Write a tenant's settings of alerts."""
        body = {"tenant": tenant, "acquired_licenses": 100, "revision": revision, "alerts": alerts}
        settings = TenantSettings.model_validate(body)
        await self._put("tenants", tenant, settings.model_dump_json())

    async def count(self, tenant: str, used: int, pool: int | None = 100, **fields: Any) -> None:
        """Publish a count that was computed now."""
        self._version += 1
        now = {"tenant": tenant, "version": self._version, "computed_at": datetime.now(UTC)}
        await self._put("license-counts", tenant, count_at(0, used, pool, **now, **fields).model_dump_json())

    async def acknowledge(self, tenant: str, rule: str) -> str:
        """Ask for an acknowledgement; return the id of the command."""
        command = AcknowledgeAlert.model_validate(
            {"id": uuid.uuid4().hex, "tenant": tenant, "by": "ana", "sent_at": datetime.now(UTC), "rule": rule}
        )
        await self._put("commands", tenant, command.model_dump_json())
        return command.id

    async def _put(self, topic: Any, tenant: str, value: str) -> None:
        key = tenant.encode()
        await self.world.put(topic, self.world.place(key), value.encode(), key)

    async def told(self, tenant: str) -> list[Alert]:
        """Return the changes of a tenant's alerts that were published so far, repeats included."""
        await self.world.read()
        values = [record.value for record in self.world.records["alerts"] if record.key == tenant.encode()]
        return [Alert.model_validate_json(value) for value in values if b'"type":"alert"' in value]

    def deliveries(self) -> list[Delivery]:
        """Return what was told of deliveries, as far as it was read."""
        values = [record.value for record in self.world.records["alerts"]]
        return [Delivery.model_validate_json(value) for value in values if b'"type":"delivery"' in value]
