"""Owns which limits of the pool alerts hold for a tenant: its own, else the provider's, else the product's."""

from schemas.settings import DEFAULT_ALERTS, AlertLimits, ProviderSettings, TenantSettings


def alert_limits(settings: TenantSettings, provider: ProviderSettings) -> AlertLimits:
    """Return the limits that hold, each for itself; `clear_percent` stays None where nobody set it."""
    held = DEFAULT_ALERTS.model_dump()
    for own in (provider.alerts, settings.alerts):
        held |= own.model_dump(exclude_none=True)
    return AlertLimits(**held)


def is_alerting(usage_percent: float | None, limits: AlertLimits) -> bool:
    """Tell whether the usage of a pool has reached its warning limit; without a pool nothing is reached."""
    limit = limits.warning_percent
    return usage_percent is not None and limit is not None and usage_percent >= limit
