"""Owns what licences are in Microsoft Graph: a user's subscription facts, and the SKUs that a tenant holds.

Service plans are known by their ids (Microsoft's licensing service plan reference); names of SKUs come from the tenant.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.graph.mapping.facts import Observation
from collectors.graph.mapping.values import MalformedEntryError, fields, known, objects, part, removal_of, text, user_of

TEAMS_PHONE_PLANS = frozenset({
    "4828c8ec-dc2e-4779-b502-87ac9ce28ab7",  # MCOEV
    "db23fce2-a974-42ef-9002-d78dd42a0f22",  # MCOEV_GOV
    "ed777b71-af04-42ca-9798-84344c66f7c6",  # MCOEVSMB
})  # fmt: skip
RESOURCE_ACCOUNT_PLANS = frozenset({
    "f47330e9-c134-43b3-9993-e7f004506889",  # MCOEV_VIRTUALUSER
    "0628a73f-3b4a-4989-bd7b-0f8823144313",  # MCOEV_VIRTUALUSER_GOV
})  # fmt: skip
_USABLE = ("Enabled", "Warning")
_BEST_FIRST = (*_USABLE, "Suspended", "LockedOut", "Deleted")


@dataclass(frozen=True, slots=True)
class Sku:
    """A SKU that a tenant holds. `seats`: usable, also in grace; `teams_phone`: it makes Teams Phone users."""

    sku_id: str
    part_number: str | None
    teams_phone: bool
    seats: int
    consumed: int


def subscription(entry: object, sku_names: Mapping[str, str]) -> Observation | None:
    """Map an entry of users/delta that was selected with USER_SELECT. `sku_names`: part numbers by SKU id.

    A user whose licences were never set has none. Gone for good = a clear; None = soft-deleted, which tells nothing of
    licences. Raises MalformedEntryError.
    """
    user = fields(entry, "the user")
    subject, removal = user_of(user, "id"), removal_of(user)
    if removal is not None:
        return Observation("subscription", subject, None) if removal == "deleted" else None
    sku_ids = (_id(licence, "skuId") for licence in objects(user, "assignedLicenses"))
    status = _best_status(user, TEAMS_PHONE_PLANS)
    facts = {
        "skus": sorted({sku_names.get(sku_id, sku_id) for sku_id in sku_ids if sku_id is not None}),
        "teams_phone": status in _USABLE,
        "teams_phone_status": status,
    }
    return Observation("subscription", subject, known(facts))


def is_resource_account(entry: object) -> bool:
    """Tell whether an entry of users/delta is a resource account by its licence: Teams need not list those. A person
    who holds Teams Phone is none, whatever else was assigned. Raises MalformedEntryError."""
    user = fields(entry, "the user")
    return (
        _best_status(user, RESOURCE_ACCOUNT_PLANS) in _USABLE and _best_status(user, TEAMS_PHONE_PLANS) not in _USABLE
    )


def subscribed_sku(entry: object) -> Sku:
    """Map an entry of subscribedSkus. Raises MalformedEntryError."""
    sku = fields(entry, "the SKU")
    sku_id, units = _id(sku, "skuId"), part(sku, "prepaidUnits")
    if sku_id is None:
        raise MalformedEntryError("skuId is missing")
    plans = {_id(plan, "servicePlanId") for plan in objects(sku, "servicePlans")}
    return Sku(
        sku_id=sku_id,
        part_number=text(sku, "skuPartNumber"),
        teams_phone=not plans.isdisjoint(TEAMS_PHONE_PLANS),
        seats=_count(units, "enabled") + _count(units, "warning"),
        consumed=_count(sku, "consumedUnits"),
    )


def names_of(skus: Iterable[Sku]) -> dict[str, str]:
    """Return part numbers by SKU id, of those that have one."""
    return {sku.sku_id: sku.part_number for sku in skus if sku.part_number is not None}


def teams_phone_seats(skus: Iterable[Sku]) -> tuple[int, int]:
    """Return how many Teams Phone seats are usable, and how many of them are consumed."""
    phone = [sku for sku in skus if sku.teams_phone]
    return sum(sku.seats for sku in phone), sum(sku.consumed for sku in phone)


def _best_status(user: Mapping[str, Any], plans: frozenset[str]) -> str | None:
    """Return the status of the plans a user holds, the most usable of several: old ones stay listed as Deleted."""
    held = (plan for plan in objects(user, "assignedPlans") if _id(plan, "servicePlanId") in plans)
    statuses = {status for plan in held if (status := text(plan, "capabilityStatus")) is not None}
    return min(statuses, key=_rank, default=None)


def _rank(status: str) -> tuple[int, str]:
    return _BEST_FIRST.index(status) if status in _BEST_FIRST else len(_BEST_FIRST), status


def _id(entry: Mapping[str, Any], name: str) -> str | None:
    found = text(entry, name)
    return None if found is None else found.lower()


def _count(entry: Mapping[str, Any], name: str) -> int:
    value = entry.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedEntryError(
            f"{name} is a whole number in Microsoft Graph, not of the type {type(value).__name__}"
        )
    return value
