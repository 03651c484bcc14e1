"""The limits that hold for a tenant: its own, else the provider's, else the product's."""

import pytest

from licensing.alerts.limits import alert_limits, is_alerting
from schemas.settings import AlertSettings, ProviderSettings, Silence, TenantSettings
from schemas.times import parse_time


def test_each_limit_is_the_nearest_that_somebody_set() -> None:
    settings = TenantSettings(tenant="acme", alerts=AlertSettings(warning_percent=70.0))
    provider = ProviderSettings(alerts=AlertSettings(warning_percent=80.0, critical_percent=95.0))
    limits = alert_limits(settings, provider)
    assert (70.0, 95.0, 60) == (limits.warning_percent, limits.critical_percent, limits.dwell_s)
    assert 90.0 == alert_limits(TenantSettings(tenant="acme"), ProviderSettings()).warning_percent


def test_the_silences_of_the_provider_hold_beside_those_of_the_tenant() -> None:
    ours, theirs = (Silence(until=parse_time(f"2026-11-2{day}T10:00:00Z")) for day in (4, 5))
    settings = TenantSettings(tenant="acme", alerts=AlertSettings(silences=[theirs]))
    assert [ours, theirs] == alert_limits(settings, ProviderSettings(alerts=AlertSettings(silences=[ours]))).silences


@pytest.mark.parametrize(("usage", "expected"), [(89.9, False), (90.0, True), (120.0, True), (None, False)])
def test_the_limit_itself_is_reached(usage: float | None, expected: bool) -> None:
    assert expected is is_alerting(usage, AlertSettings(warning_percent=90.0))
