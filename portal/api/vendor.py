"""Owns the endpoints in the shapes of the product that this one replaces, so that its scripts work."""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from licensing.factors import BY_NAME, LIFECYCLE, SERVICE_NUMBER, USER_INTERFACE, counted_factor
from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.masks import MaskHistory
from portal.api.context import Ctx, Tenant, Who
from portal.api.errors import errors
from portal.api.models.vendor import LicenseDay, LicensedUser
from portal.ports import Bucket, Store
from portal.problems import Problem
from schemas.times import format_time

router = APIRouter(prefix="/api/v3/customer", tags=["vendor"])

_DAY_S = 86_400
_DAYS_OF_MONTH = 31
_COUNTED = {
    "managedUsersDirectRouting": "direct_routing",
    "managedUsersOperatorConnect": "operator_connect",
    "managedUsersByLifeCycleManagement": "lifecycle",
    "managedUsersUserInterface": "user_interface",
    "managedServiceNumbers": "service_number",
}
_SWITCHES = {
    "managedUsersByLifeCycleManagement": LIFECYCLE,
    "managedUsersUserInterface": USER_INTERFACE,
    "managedServiceNumbers": SERVICE_NUMBER,
}


@router.get(
    "/{tenant}/licenseinfo", summary="One record a day", operation_id="vendor_license_info",
    response_model=list[LicenseDay], responses=errors(409),
)  # fmt: skip
async def licenseinfo(
    context: Ctx, principal: Who, tenant: Tenant, months: Annotated[int, Query(alias="nrOfMonths", ge=1, le=120)] = 1
) -> Response:
    """The figures at the end of each day, oldest first. `tenant` may be the customer GUID of the settings."""
    name = _resolved(context, principal, tenant)
    now = context.now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=months * _DAYS_OF_MONTH - 1)

    def read() -> list[dict[str, Any]]:
        store, live = context.services.store, context.services.live
        masks = context.masks_of(name)
        count = live.count(name)
        return [
            _day(bucket, masks, max(bucket.at, count.computed_at) if count and bucket.at == today else bucket.at)
            for bucket in store.buckets(name, start, now, _DAY_S)
        ]

    return JSONResponse(await context.read(read))


def _day(bucket: Bucket, masks: MaskHistory, updated: datetime) -> dict[str, Any]:
    end = bucket.at + timedelta(seconds=_DAY_S, milliseconds=-1)
    mask = masks.at(end)[1]
    return {
        "acquiredLicenses": bucket.acquired_licenses,
        "totalMonitoredUsers": bucket.user_licenses,
        "currentlyLicensed": bucket.last,
        **{name: bucket.factors.get(factor, {}).get("counted", 0) for name, factor in _COUNTED.items()},
        "lastUpdate": format_time(updated),
        "LicenseFactors": {name: bool(mask & bit) for name, bit in _SWITCHES.items()},
    }


@router.get(
    "/{tenant}/licensedUsers", summary="Every counted subject", operation_id="vendor_licensed_users",
    response_model=list[LicensedUser], responses=errors(409),
)  # fmt: skip
async def licensed_users(context: Ctx, principal: Who, tenant: Tenant) -> Response:
    """SIP address (a service number: its number) and winning factor of every counted subject, now."""
    name = _resolved(context, principal, tenant)
    mask = context.mask_of(name)
    return JSONResponse(await context.read(lambda: _licensed(context.services.store, name, mask)))


def _licensed(store: Store, tenant: str, mask: int) -> list[dict[str, Any]]:
    profiles = store.profiles(tenant)
    found: list[dict[str, Any]] = []
    for subject, facets in groupby(store.all_facts(tenant), key=lambda facet: facet.subject):
        factor = counted_factor(profiles.get(subject, 0), mask)
        if factor is None:
            continue
        directory = next((facet.facts for facet in facets if facet.facet == "directory"), None) or {}
        address = directory.get("sip_address") or directory.get("user_principal_name") or subject.partition(":")[2]
        found.append({"sipAddress": address, "licenseCriteria": BY_NAME[factor.name].label})
    return found


def _resolved(context: Context, principal: Principal, tenant: str) -> str:
    live = context.services.live
    if not principal.sees(tenant) or (live.settings(tenant) is None and live.count(tenant) is None):
        found = [
            name
            for name, settings in live.all_settings().items()
            if settings.customer_guid == tenant and principal.sees(name) and not settings.is_removed
        ]
        if len(found) > 1:
            raise Problem(
                409,
                f"more than one tenant has the customer GUID {tenant}: ask by the tenant's id, or give each tenant a"
                " GUID of its own (`customer_guid` of its settings)",
            )
        if found:
            return found[0]
    context.require_seen(principal, tenant)
    return tenant
