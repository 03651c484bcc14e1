"""Owns what endpoints and pages ask of the services: threads for reads of the store, settings and counts of a tenant,
and who counts as known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter

from licensing.alerts.limits import alert_limits
from licensing.count import figures
from licensing.criteria import compile_criteria
from licensing.factors import enabled_mask
from portal.access.principals import Principal
from portal.answers.masks import MaskHistory, read_masks
from portal.problems import Problem
from portal.services import Services
from schemas.count import Cause, Count, Hint
from schemas.settings import AlertSettings, ProviderSettings, TenantSettings
from schemas.times import format_time

T = TypeVar("T")

READERS = 8
"""Store reads at a time; more of them wait their turn and keep no event loop busy."""


@dataclass(frozen=True, slots=True)
class Context:
    """The services as endpoints use them."""

    services: Services
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(READERS))
    _empty: dict[str, tuple[TenantSettings, ProviderSettings, Count]] = field(default_factory=dict)
    """Counts of tenants that have settings and no event yet, with what they follow from: a list asks for thousands."""

    async def read(self, call: Callable[[], T]) -> T:
        """Run reads of the store in a thread."""
        return await anyio.to_thread.run_sync(call, limiter=self.threads)

    def now(self) -> datetime:
        return self.services.clock()

    def settings_of(self, tenant: str) -> TenantSettings:
        """Return the tenant's settings, defaults for one that has none."""
        return self.services.live.settings(tenant) or TenantSettings(tenant=tenant)

    def mask_of(self, tenant: str) -> int:
        """Return the bits of the factors that are enabled now."""
        return enabled_mask(self.settings_of(tenant), self.services.live.provider())

    def masks_of(self, tenant: str) -> MaskHistory:
        """Read the history of the tenant's settings and enabled factors; it asks the store, so it belongs in `read`."""
        return read_masks(self.services.store, tenant, self.settings_of(tenant), self.services.live.provider())

    def limits_of(self, tenant: str) -> AlertSettings:
        """Return the limits of the pool alerts that hold for a tenant."""
        return alert_limits(self.settings_of(tenant), self.services.live.provider())

    def require(self, tenant: str) -> None:
        """Raise Problem 404 for a tenant that was never heard of or is removed, 503 while that is not known yet."""
        live = self.services.live
        settings = live.settings(tenant)
        if settings is not None and settings.is_removed and settings.removed_at is not None:
            raise Problem(
                404,
                f"the tenant {tenant} was removed at {format_time(settings.removed_at)};"
                f" `poolwatch tenant set {tenant}` brings it back, without the facts of before",
            )
        if settings is None and live.count(tenant) is None:
            self.refuse_unknown(tenant)

    def require_seen(self, principal: Principal, tenant: str) -> None:
        """The same, for somebody: a tenant that it may not know of was never heard of."""
        if not principal.sees(tenant):
            self.refuse_unknown(tenant)
        self.require(tenant)

    def refuse_unknown(self, tenant: str) -> NoReturn:
        """Raise Problem 404 for a tenant that does not exist, or not for whoever asks; 503 while that is not known."""
        self.require_ready()
        raise Problem(
            404,
            f"the tenant {tenant} was never heard of: it exists from its settings (`poolwatch tenant set {tenant}`)"
            " or its first event on; GET /api/v1/tenants lists those that do",
        )

    def exists(self, tenant: str) -> bool:
        """Tell whether a tenant was heard of and is not removed."""
        settings = self.services.live.settings(tenant)
        return not settings.is_removed if settings is not None else self.services.live.count(tenant) is not None

    def require_ready(self) -> None:
        """Raise Problem 503 until all counts and settings have been read."""
        if not self.services.live.ready:
            raise Problem(
                503,
                "counts and settings are still being read from Kafka: ask again soon, /readyz says when it is done",
                headers={"Retry-After": "2"},
            )

    def count_of(self, tenant: str) -> Count:
        """Return the tenant's count; one that has settings and no event yet counts nothing (epoch and version 0)."""
        self.require(tenant)
        return self.services.live.count(tenant) or self._empty_count(tenant)

    def _empty_count(self, tenant: str) -> Count:
        settings, provider = self.settings_of(tenant), self.services.live.provider()
        known = self._empty.get(tenant)
        if known is None or known[0] is not settings or known[1] is not provider:
            known = self._empty[tenant] = (settings, provider, self._nothing_counted(settings))
        return known[2]

    def _nothing_counted(self, settings: TenantSettings) -> Count:
        tenant = settings.tenant
        none = figures({}, self.mask_of(tenant), settings.acquired_licenses)
        hints: list[Hint] = ["no_gateways"] if compile_criteria(settings).no_gateways else []
        return Count(
            tenant=tenant,
            epoch=0,
            version=0,
            settings_revision=settings.revision,
            as_of=None,
            computed_at=settings.updated_at or self.now(),
            stale=False,
            acquired_licenses=none.acquired_licenses,
            currently_licensed=0,
            available_licenses=none.available_licenses,
            usage_percent=none.usage_percent,
            user_licenses=0,
            dr_phone_licenses=0,
            factors=none.factors,
            cause=Cause(kind="rules"),
            freshness={},
            hints=[*hints, "no_pool"] if none.acquired_licenses is None else hints,
        )
