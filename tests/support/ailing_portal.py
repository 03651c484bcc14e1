"""A portal process whose history cannot be read: `python -m tests.support.ailing_portal PORT`.

The tenant `acme` counts 7 of 10; every question to the store fails as ClickHouse that is away does.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import clickhouse_connect.driver.exceptions as clickhouse
import uvicorn

from licensing.count import figures
from portal.alerts import AlertBook
from portal.app import create_portal
from portal.services import About, Services
from portal.stream import CountStream
from schemas.count import Cause, Count
from schemas.settings import ProviderSettings, TenantSettings
from tests.support.ports import HOST

TENANT = "acme"


class FailingStore:
    """Fails whatever it is asked."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*arguments: Any, **named: Any) -> Any:
            raise clickhouse.OperationalError("connection refused")

        return fail


class StillCounts:
    """One tenant, whose count stands still."""

    ready = True

    def __init__(self) -> None:
        now, shown = datetime.now(UTC), figures({1: 7}, 31, 10)
        self._count = Count(
            tenant=TENANT, epoch=1, version=1, settings_revision=0, as_of=now, computed_at=now, stale=False,
            acquired_licenses=10, currently_licensed=7, available_licenses=3, usage_percent=70.0, user_licenses=7,
            dr_phone_licenses=7, factors=shown.factors, cause=Cause(kind="users"), freshness={}, profiles={"1": 7},
        )  # fmt: skip
        stream = CountStream(1, "")
        self.subscribe, self.newest_id = stream.subscribe, stream.newest_id

    def count(self, tenant: str) -> Count | None:
        return self.counts().get(tenant)

    def counts(self) -> dict[str, Count]:
        return {TENANT: self._count}

    def settings(self, tenant: str) -> TenantSettings | None:
        return self.all_settings().get(tenant)

    def all_settings(self) -> dict[str, TenantSettings]:
        return {TENANT: TenantSettings(tenant=TENANT, acquired_licenses=10)}

    def provider(self) -> ProviderSettings:
        return ProviderSettings()


def main() -> None:
    """Serve until stopped."""
    nothing = cast(Any, None)
    services = Services(
        store=cast(Any, FailingStore()), live=cast(Any, StillCounts()), sources=nothing, settings=nothing,
        refreshes=nothing, intake=nothing, syncs=nothing, alerts=AlertBook(), acknowledgements=nothing,
        tokens=nothing, about=About("test", False, "", "", 1),
    )  # fmt: skip
    uvicorn.run(create_portal(services), host=HOST, port=int(sys.argv[1]), log_level="error")


if __name__ == "__main__":
    main()
