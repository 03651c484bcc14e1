"""Which factors are enabled: service type, provider default, tenant override (LICENSE-FACTORS §2)."""

from typing import get_args

import pytest
from pydantic import ValidationError

from licensing.factors import ALL, FACTORS, LIFECYCLE, SERVICE_NUMBER, USER_INTERFACE, enabled_mask
from schemas.settings import Factors, ProviderSettings, ServiceType, TenantSettings

PRIORITIES: dict[ServiceType, list[int]] = {
    "ump_365": [1, 2, 3, 4, 5],
    "hosted_essentials": [5],
    "oc_essentials": [5],
    "hosted_essentials_plus": [1, 3, 4, 5],
    "hosted_pro": [1, 3, 4, 5],
    "oc_essentials_plus": [2, 3, 4, 5],
    "oc_pro": [2, 3, 4, 5],
}


def enabled(settings: TenantSettings, provider: ProviderSettings | None = None) -> list[int]:
    mask = enabled_mask(settings, provider)
    return [factor.priority for factor in FACTORS if factor.bit & mask]


def test_every_service_type_is_looked_at_here() -> None:
    assert set(PRIORITIES) == set(get_args(ServiceType))


@pytest.mark.parametrize("service_type", PRIORITIES)
def test_a_service_type_has_the_factors_that_the_vendor_names(service_type: ServiceType) -> None:
    assert enabled(TenantSettings(tenant="t", service_type=service_type)) == PRIORITIES[service_type]


@pytest.mark.parametrize("service_type", PRIORITIES)
def test_switching_everything_on_adds_no_factor_that_the_service_type_lacks(service_type: ServiceType) -> None:
    on = Factors(lifecycle=True, user_interface=True, service_number=True)
    assert enabled(TenantSettings(tenant="t", service_type=service_type, factors=on)) == PRIORITIES[service_type]


@pytest.mark.parametrize("service_type", PRIORITIES)
def test_switching_everything_off_leaves_the_factors_that_are_not_optional(service_type: ServiceType) -> None:
    off = Factors(lifecycle=False, user_interface=False, service_number=False)
    expected = [priority for priority in PRIORITIES[service_type] if priority < 3]
    assert enabled(TenantSettings(tenant="t", service_type=service_type, factors=off)) == expected


@pytest.mark.parametrize(
    ("tenant", "provider", "on"),
    [
        (None, None, True), (None, True, True), (None, False, False),
        (True, None, True), (True, True, True), (True, False, True),
        (False, None, False), (False, True, False), (False, False, False),
    ],
)  # fmt: skip
def test_the_tenants_override_goes_before_the_providers_default_which_is_on(
    tenant: bool | None, provider: bool | None, on: bool
) -> None:
    settings = TenantSettings(tenant="t", factors=Factors(lifecycle=tenant))
    mask = enabled_mask(settings, ProviderSettings(factors=Factors(lifecycle=provider)))
    assert bool(mask & LIFECYCLE) is on
    assert mask | LIFECYCLE == ALL


def test_restoring_the_defaults_brings_the_providers_defaults_back() -> None:
    provider = ProviderSettings(factors=Factors(user_interface=False))
    overridden = TenantSettings(tenant="t", factors=Factors(user_interface=True, service_number=False))
    assert enabled_mask(overridden, provider) == ALL & ~SERVICE_NUMBER
    restored = overridden.model_copy(update={"factors": Factors()})
    assert enabled_mask(restored, provider) == ALL & ~USER_INTERFACE


@pytest.mark.parametrize("factor", ["direct_routing", "operator_connect"])
def test_switching_a_factor_that_is_not_optional_is_refused(factor: str) -> None:
    with pytest.raises(ValidationError, match=f"{factor}\n  Extra inputs are not permitted"):
        TenantSettings.model_validate({"tenant": "t", "factors": {factor: False}})
