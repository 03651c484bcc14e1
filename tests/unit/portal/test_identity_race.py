"""What a tenant's admin changes while the provider changes who the tenant is elsewhere."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.settings_changes import change_settings
from portal.services import Mode
from schemas.commands import Answer, ChangeSettings
from schemas.settings import ProviderSettings, TenantSettings
from streams.protocol.settings_commands import decide

TIA = Principal("tia@contoso.example", "tenant_admin", frozenset({"contoso"}))
BOSS = Principal("boss@msp.example", "provider_admin")
BEFORE = TenantSettings(
    tenant="contoso", revision=3, ms_tenant_id="old", display_name="Contoso", gateways=["a.example"]
)
SENT = datetime(2026, 11, 24, 10, tzinfo=UTC)
WIDE: dict[str, Any] = {"factors": {"lifecycle": True}, "graph": {"template_groups": ["g"]}}


class _Lagging:
    """What a portal knows that has not read the newest settings yet, and the counter, which has them."""

    def __init__(self) -> None:
        self.newest = BEFORE.model_copy(update={"ms_tenant_id": "new", "revision": 4})

    def settings(self, tenant: str) -> TenantSettings:
        return BEFORE

    def provider(self) -> ProviderSettings:
        return ProviderSettings()

    async def change(self, tenant: str, mode: Mode, body: dict[str, Any], if_match: int | None, by: str) -> Answer:
        command = ChangeSettings(id="1", tenant=tenant, mode=mode, body=body, if_match=if_match, by=by, sent_at=SENT)
        settings, answer = decide(self.newest, command, 1_000)
        assert isinstance(settings, TenantSettings)
        self.newest = settings
        return answer


class _Services:
    def __init__(self) -> None:
        self.live = self.settings = _Lagging()


@pytest.mark.parametrize("mode", ["put", "patch"])
async def test_a_tenants_admin_puts_nothing_back_that_the_provider_has_just_set(mode: Mode) -> None:
    services = _Services()
    body = {"ms_tenant_id": "old", "acquired_licenses": 7} | WIDE
    await change_settings(Context(cast(Any, services)), TIA, "contoso", mode, body, None, TIA.name)
    assert ("new", 7) == (services.live.newest.ms_tenant_id, services.live.newest.acquired_licenses)


@pytest.mark.parametrize("body", [{}, {"acquired_licenses": 7}, WIDE, {"alerts": {"dwell_s": 1}, "criteria": {}}])
async def test_a_put_of_a_tenants_admin_replaces_all_else_as_one_of_the_provider_does(body: dict[str, Any]) -> None:
    left = []
    for who in (TIA, BOSS):
        services = _Services()
        await change_settings(
            Context(cast(Any, services)), who, "contoso", "put", {"ms_tenant_id": "old"} | body, None, "test"
        )
        left.append(services.live.newest.model_dump(exclude={"ms_tenant_id"}))
    assert left[0] == left[1]
    assert left[0]["display_name"] is None
