"""Owns the endpoint of the forecast: when the pool of a tenant runs out."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from portal.answers.forecast import foresee, shown
from portal.api.context import Ctx, Tenant
from portal.api.models.forecast import Forecast

router = APIRouter(prefix="/api/v1/tenants", tags=["history"])


@router.get(
    "/{tenant}/forecast", summary="When the pool runs out", operation_id="get_forecast", response_model=Forecast
)
async def get_forecast(context: Ctx, tenant: Tenant) -> Response:
    """The day on which the pool is expected to run out, with an interval, and the curve of the next 90 days.

    It is made from the tenant's history of up to a year; `explanation` says in sentences what it comes to and why.
    """
    count = context.count_of(tenant)
    store, now = context.services.store, context.now()
    licensed, acquired = count.currently_licensed, count.acquired_licenses
    return JSONResponse(shown(await context.read(lambda: foresee(store, tenant, now, licensed, acquired))))
