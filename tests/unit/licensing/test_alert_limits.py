"""The limits that hold for a tenant: its own, else the provider's, else the product's."""

import pytest

from licensing.alert_limits import alert_limits, is_alerting
from schemas.settings import AlertLimits, ProviderSettings, TenantSettings


def test_each_limit_is_the_nearest_that_somebody_set() -> None:
    settings = TenantSettings(tenant="acme", alerts=AlertLimits(warning_percent=70.0))
    provider = ProviderSettings(alerts=AlertLimits(warning_percent=80.0, critical_percent=95.0))
    assert AlertLimits(warning_percent=70.0, critical_percent=95.0, dwell_s=60) == alert_limits(settings, provider)
    assert 90.0 == alert_limits(TenantSettings(tenant="acme"), ProviderSettings()).warning_percent


@pytest.mark.parametrize(("usage", "expected"), [(89.9, False), (90.0, True), (120.0, True), (None, False)])
def test_the_limit_itself_is_reached(usage: float | None, expected: bool) -> None:
    assert expected is is_alerting(usage, AlertLimits(warning_percent=90.0))
