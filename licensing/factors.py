"""Owns the five licence factors: their order, labels and bits, and which of them are enabled (LICENSE-FACTORS §2)."""

from dataclasses import dataclass
from typing import cast

from schemas.count import FactorName
from schemas.settings import ProviderSettings, TenantSettings


@dataclass(frozen=True, slots=True)
class Factor:
    """A licence factor; `bit` is its place in a profile, in the order of priority."""

    name: FactorName
    label: str
    priority: int
    optional: bool
    bit: int


FACTORS = (
    Factor("direct_routing", "Managed Users - Direct Routing", 1, False, 1),
    Factor("operator_connect", "Managed Users - Operator Connect", 2, False, 2),
    Factor("lifecycle", "Managed Users - By Template", 3, True, 4),
    Factor("user_interface", "Managed Users - By User Interface", 4, True, 8),
    Factor("service_number", "Managed Service Numbers", 5, True, 16),
)
BY_NAME = {factor.name: factor for factor in FACTORS}
_BY_BIT = {factor.bit: factor for factor in FACTORS}

DIRECT_ROUTING, OPERATOR_CONNECT, LIFECYCLE, USER_INTERFACE, SERVICE_NUMBER = (factor.bit for factor in FACTORS)
LOADED = 32
"""A number that is loaded, before holder and criteria are looked at: n2 of the service numbers (§3)."""
LICENSED = 64
"""A user who holds any Microsoft 365 licence: User Licenses."""
DR_PHONE = 128
"""A user with Teams Phone who is enabled for voice by Direct Routing: DR Phone Licenses."""
ALL = 31

SERVICE_TYPES: dict[str, int] = {
    "ump_365": ALL,
    "hosted_essentials": SERVICE_NUMBER,
    "oc_essentials": SERVICE_NUMBER,
    "hosted_essentials_plus": ALL & ~OPERATOR_CONNECT,
    "hosted_pro": ALL & ~OPERATOR_CONNECT,
    "oc_essentials_plus": ALL & ~DIRECT_ROUTING,
    "oc_pro": ALL & ~DIRECT_ROUTING,
}
"""Bits of the factors that exist for a service type."""


def enabled_mask(settings: TenantSettings, provider: ProviderSettings | None = None) -> int:
    """Return the bits of the enabled factors: the tenant's override, or else the provider's default (on where it has
    none), and in any case only factors that exist for the service type."""
    provider = provider or ProviderSettings()
    mask = SERVICE_TYPES[settings.service_type]
    for factor in FACTORS:
        if factor.optional:
            override = cast(bool | None, getattr(settings.factors, factor.name))
            default = cast(bool | None, getattr(provider.factors, factor.name))
            if not (override if override is not None else default if default is not None else True):
                mask &= ~factor.bit
    return mask


def counted_factor(profile: int, enabled: int) -> Factor | None:
    """Return the factor that a subject is counted at: the matching and enabled one of highest priority, or None."""
    candidates = profile & enabled & ALL
    return _BY_BIT[candidates & -candidates] if candidates else None


def counted_name(profile: int | None, enabled: int) -> FactorName | None:
    """Return the name of the factor that a subject is counted at; None for none, and for an unknown profile (None)."""
    factor = None if profile is None else counted_factor(profile, enabled)
    return factor.name if factor else None


def matched_factors(profile: int) -> list[FactorName]:
    """Return the names of the factors that a profile matches, enabled or not."""
    return [factor.name for factor in FACTORS if profile & factor.bit]
