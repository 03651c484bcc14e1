"""Owns which settings of alerts hold for a tenant: its own, else the provider's, else the product's."""

from schemas.settings import DEFAULT_ALERTS, AlertSettings, ProviderSettings, TenantSettings


def alert_limits(settings: TenantSettings, provider: ProviderSettings) -> AlertSettings:
    """Return the settings that hold, each for itself, and the silences of both; None stays where nobody set one."""
    held = DEFAULT_ALERTS.model_dump()
    for own in (provider.alerts, settings.alerts):
        held |= own.model_dump(exclude_none=True)
    held["silences"] = [*(provider.alerts.silences or []), *(settings.alerts.silences or [])]
    return AlertSettings.model_validate(held)


def is_alerting(usage_percent: float | None, limits: AlertSettings) -> bool:
    """Tell whether the usage of a pool has reached its warning limit; without a pool nothing is reached."""
    limit = limits.warning_percent
    return usage_percent is not None and limit is not None and usage_percent >= limit
