"""Owns the survey: once an hour it looks at the stored history and tags of each tenant, and tells on `commands` what no
count shows to the rules of alerts: when the pool runs out, and how many numbers have a tag that looks mistyped."""

import asyncio
import time
import uuid
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import structlog

from licensing.near_miss import suspicious_tags
from portal.answers.forecast import foresee
from portal.kafka.publishing import Outgoing, Publisher
from portal.ports import Store
from portal.store.clients import Clients, ask
from schemas.commands import Finding
from schemas.identifiers import partition_of
from schemas.settings import TenantSettings
from schemas.times import to_ms

log = structlog.get_logger()

EVERY_S = 3_600.0
FIRST_S = 60.0
"""After a start: closed buckets are computed by then."""
REST = 3.0
"""After each tenant so many times as long as it took: the sink and the portal need the same processors."""
_MOST_RESTED_S = EVERY_S / 2
"""In a whole round: on a machine that is busy, the next one must begin in time all the same."""
TELL_AGAIN = timedelta(hours=24)

_TENANTS = "SELECT tenant, currently_licensed, acquired_licenses FROM latest_counts FINAL ORDER BY tenant"
_SETTINGS = """SELECT settings FROM tenant_settings
WHERE tenant = {tenant:String} AND NOT purged ORDER BY at DESC, revision DESC LIMIT 1"""


_Basis = tuple[date, int, int | None]
"""What a forecast follows from: closed days change at midnight alone. Day, licences in use, pool."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a tenant has found for a rule; `value` as in `Finding`."""

    rule: Literal["forecast", "suspicious_tag"]
    value: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last of a tenant and rule, and when."""

    value: float | None
    at: datetime

    def is_old_beside(self, value: float | None, now: datetime) -> bool:
        """Tell whether it must be told again: something has changed by a day or a number, or a day has passed."""
        if now - self.at >= TELL_AGAIN or (self.value is None) != (value is None):
            return True
        return self.value is not None and value is not None and abs(self.value - value) >= 1


class Survey:
    """The survey of the tenants whose partitions (`mine`) this process has. Each tenant is read in a thread, one at a
    time, with clients of `clients`."""

    def __init__(
        self,
        clients: Clients,
        store: Store,
        publisher: Publisher,
        partitions: int,
        mine: Callable[[], Set[int]],
        clock: Callable[[], datetime],
    ) -> None:
        self._clients, self._store, self._publisher = clients, store, publisher
        self._partitions, self._mine, self._clock = partitions, mine, clock
        self._told: dict[tuple[str, str], Told] = {}
        self._foreseen: dict[str, tuple[_Basis, Look]] = {}

    async def run(self) -> None:
        """Look once an hour until cancelled. A failure is logged, and looked past: nothing else depends on a survey."""
        await asyncio.sleep(FIRST_S)
        while True:
            began = time.monotonic()
            try:
                await self.look(REST)
            except Exception as error:  # noqa: BLE001 -- the sink must go on, whatever a survey meets
                log.warning("survey_failed", error=_words(error), next_step="it looks again in an hour")
            await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))

    async def look(self, rest: float = 0.0) -> None:
        """Look at each tenant once, and tell what is new."""
        began, looked, told, failed = time.monotonic(), 0, 0, 0
        tenants = await asyncio.to_thread(ask, self._clients, _TENANTS, {})
        for tenant, licensed, acquired in tenants:
            if partition_of(tenant.encode(), self._partitions) not in self._mine():
                continue
            at = time.monotonic()
            try:
                told += await self._tell(tenant, await asyncio.to_thread(self._read, tenant, licensed, acquired))
            except Exception as error:  # noqa: BLE001 -- one tenant's surprise must not end the others' survey
                failed += 1
                log.warning("survey_of_tenant_failed", tenant=tenant, error=_words(error))
            looked += 1
            await asyncio.sleep(min((time.monotonic() - at) * rest, _MOST_RESTED_S / len(tenants)))
        took_s = round(time.monotonic() - began, 1)
        log.info("survey_done", tenants=looked, findings=told, failed=failed, took_s=took_s)

    def _read(self, tenant: str, licensed: int, acquired: int | None) -> list[Look]:
        rows = ask(self._clients, _SETTINGS, {"tenant": tenant})
        settings = (
            TenantSettings.model_validate_json(rows[0][0], extra="ignore") if rows else TenantSettings(tenant=tenant)
        )
        if settings.is_removed:
            return []
        return [self._forecast(tenant, licensed, acquired), self._tags(settings)]

    def _forecast(self, tenant: str, licensed: int, acquired: int | None) -> Look:
        now = self._clock()
        basis = (now.date(), licensed, acquired)
        known = self._foreseen.get(tenant)
        if known is None or known[0] != basis:
            foreseen = foresee(self._store, tenant, now, licensed, acquired)
            look = Look("forecast", foreseen.forecast.days, foreseen.sentences[0])
            known = self._foreseen[tenant] = (basis, look)
        return known[1]

    def _tags(self, settings: TenantSettings) -> Look:
        if not (settings.gateways or settings.ms_tenant_id or settings.customer_guid):
            return Look("suspicious_tag", 0, "")
        numbers = {
            tried.value: tried.subjects
            for tried in self._store.tried_values(settings.tenant)
            if tried.facet == "dial_plan"
        }
        missed = suspicious_tags(numbers, settings)
        total = sum(numbers[tag] for tag in missed)
        nearly = sorted({name for names in missed.values() for name in names})
        # The tag itself is not told: it may be anybody's name.
        detail = f"{total:,} numbers have a dial-plan tag that misses {nearly[0]} by one character." if nearly else ""
        return Look("suspicious_tag", total, detail)

    async def _tell(self, tenant: str, looks: list[Look]) -> int:
        now = self._clock()
        news = [look for look in looks if self._is_new(tenant, look, now)]
        partition = partition_of(tenant.encode(), self._partitions)
        findings = [
            Finding(
                id=uuid.uuid4().hex, tenant=tenant, by="survey", sent_at=now, rule=look.rule, value=look.value,
                detail=look.detail,
            )
            for look in news
        ]  # fmt: skip
        records = [
            Outgoing("commands", partition, tenant.encode(), finding.model_dump_json().encode()) for finding in findings
        ]
        if records:
            await self._publisher.publish(records, to_ms(now))
        for look in news:
            self._told[tenant, look.rule] = Told(look.value, now)
        return len(news)

    def _is_new(self, tenant: str, look: Look, now: datetime) -> bool:
        told = self._told.get((tenant, look.rule))
        return told is None or told.is_old_beside(look.value, now)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
