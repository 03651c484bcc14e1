"""Owns the few SKUs that tenants hold, with Microsoft's ids (service plan reference), and how Graph shows them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """A service plan of a SKU."""

    plan_id: str
    name: str
    service: str


@dataclass(frozen=True, slots=True)
class SkuKind:
    """A SKU as Microsoft sells it."""

    sku_id: str
    part_number: str
    plans: tuple[Plan, ...]


_PHONE = Plan("4828c8ec-dc2e-4779-b502-87ac9ce28ab7", "MCOEV", "MicrosoftCommunicationsOnline")
_VIRTUAL = Plan("f47330e9-c134-43b3-9993-e7f004506889", "MCOEV_VIRTUALUSER", "MicrosoftCommunicationsOnline")
_TEAMS = Plan("57ff2da0-773e-42df-b2af-ffb7a2317929", "TEAMS1", "TeamspaceAPI")
_MEETING = Plan("3e26ee1f-8a5f-4d52-aee2-b81ce45c8f40", "MCOMEETADV", "MicrosoftCommunicationsOnline")

SKUS = {
    sku.part_number: sku
    for sku in (
        SkuKind("e43b5b99-8dfb-405f-9987-dc307f34bcbd", "MCOEV", (_PHONE,)),
        SkuKind("c7df2760-2c81-4ef7-b578-5b5392b571df", "ENTERPRISEPREMIUM", (_TEAMS, _PHONE, _MEETING)),
        SkuKind("440eaaa8-b3e0-484b-a8be-62870b9ba70a", "PHONESYSTEM_VIRTUALUSER", (_VIRTUAL,)),
        SkuKind("0c266dff-15dd-4b49-8397-2bb16070ed52", "MCOMEETADV", (_MEETING,)),
    )
}


def licences(part_numbers: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return `assignedLicenses` of a user who has these SKUs."""
    return [{"skuId": SKUS[name].sku_id, "disabledPlans": []} for name in part_numbers]


def plans(part_numbers: tuple[str, ...], status: str, at: str) -> list[dict[str, Any]]:
    """Return `assignedPlans` of a user who has these SKUs, all in one status."""
    held = {plan.plan_id: plan for name in part_numbers for plan in SKUS[name].plans}
    return [
        {"assignedDateTime": at, "capabilityStatus": status, "service": plan.service, "servicePlanId": plan.plan_id}
        for plan in held.values()
    ]


def subscribed(ms_tenant_id: str, kind: SkuKind, enabled: int, consumed: int) -> dict[str, Any]:
    """Return the row of `subscribedSkus` of a SKU that a tenant holds."""
    return {
        "accountId": ms_tenant_id,
        "accountName": "fabrikam",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": consumed,
        "id": f"{ms_tenant_id}_{kind.sku_id}",
        "skuId": kind.sku_id,
        "skuPartNumber": kind.part_number,
        "subscriptionIds": [],
        "prepaidUnits": {"enabled": enabled, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {
                "servicePlanId": plan.plan_id,
                "servicePlanName": plan.name,
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
            for plan in kind.plans
        ],
    }
