"""Who changed what of a tenant, also the provider where it acted on it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from portal.answers.masks import MaskHistory
from portal.answers.settings_log import acting_changes
from portal.ports import SettingsRevision
from schemas.settings import ProviderSettings, TenantSettings

START = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def own(revision: int, hour: int, **settings: Any) -> SettingsRevision:
    stored = TenantSettings(tenant="acme", **settings).model_dump(mode="json")
    return SettingsRevision(revision, START + timedelta(hours=hour), "ana@acme.example", stored)


def provider(revision: int, hour: int, **settings: Any) -> SettingsRevision:
    stored = ProviderSettings(**settings).model_dump(mode="json")
    return SettingsRevision(revision, START + timedelta(hours=hour), "pia@msp.example", stored)


def told(tenant: list[SettingsRevision], defaults: list[SettingsRevision]) -> list[tuple[str, int, dict[str, Any]]]:
    found = acting_changes("acme", MaskHistory("acme", tenant, defaults))
    return [
        (each.scope, each.revision, {change["setting"]: (change["from"], change["to"]) for change in each.changes})
        for each in found
    ]


def test_a_revision_tells_what_it_changed_and_one_that_changed_nothing_is_none() -> None:
    revisions = [
        own(1, 0, acquired_licenses=100), own(2, 1, acquired_licenses=100),
        own(3, 2, acquired_licenses=120, factors={"lifecycle": False}),
    ]  # fmt: skip
    assert [
        ("tenant", 1, {"acquired_licenses": (None, 100)}),
        ("tenant", 3, {"acquired_licenses": (100, 120), "factors.lifecycle": (None, False)}),
    ] == told(revisions, [])


def test_a_default_acts_where_the_tenant_has_no_value_of_its_own() -> None:
    revisions = [own(1, 0, stale_after_s=60, factors={"lifecycle": True})]
    defaults = [
        provider(1, 1, factors={"lifecycle": False, "user_interface": False}, stale_after_s=90),
        provider(2, 2, factors={"lifecycle": None, "user_interface": False}, alerts={"warning_percent": 80.0}),
    ]
    assert [
        ("provider", 1, {"factors.user_interface": (None, False)}),
        ("provider", 2, {"alerts.warning_percent": (None, 80.0)}),
    ] == told(revisions, defaults)[1:]


def test_a_default_that_switches_a_factor_which_the_service_type_lacks_does_not_act() -> None:
    revisions = [own(1, 0, service_type="hosted_essentials")]
    assert [] == told(revisions, [provider(1, 1, factors={"lifecycle": False})])[1:]
