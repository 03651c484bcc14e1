"""Owns the endpoints of sources: how those of a tenant are doing, and a refresh of them."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from portal.api.context import By, Ctx, Tenant, Who
from portal.api.errors import errors
from portal.api.models.sources import RefreshStarted, Sources
from portal.problems import Problem
from portal.refreshes import Progress, progress

router = APIRouter(prefix="/api/v1", tags=["sources"])

_SHOWN = {"source", "part", "facets", "state", "reason", "since", "at", "read", "full_at"}


@router.get(
    "/tenants/{tenant}/sources", summary="How the sources are doing", operation_id="list_sources",
    response_model=Sources,
)  # fmt: skip
async def list_sources(context: Ctx, tenant: Tenant) -> Response:
    """Parts of the sources of a tenant, with the freshness of its facets and what the count says of them."""
    count = context.count_of(tenant).model_dump(mode="json", include={"freshness", "hints"})
    states = context.services.sources.of(tenant)
    return JSONResponse({"items": [state.model_dump(mode="json", include=_SHOWN) for state in states], **count})


@router.post(
    "/tenants/{tenant}/refresh", status_code=202, summary="Read the sources in full now",
    operation_id="refresh_sources", response_model=RefreshStarted, responses=errors(409),
)  # fmt: skip
async def refresh(context: Ctx, tenant: Tenant, by: By) -> Response:
    """Ask for a full sync of a tenant's sources; `GET /api/v1/refreshes/{id}` tells how far it is."""
    context.require(tenant)
    settings = context.settings_of(tenant)
    if settings.graph is None or settings.ms_tenant_id is None:
        raise Problem(
            409,
            f"no source of {tenant} can be asked: let Poolwatch read its Microsoft Graph"
            f" (`poolwatch tenant set {tenant} --ms-tenant-id GUID --graph on`), or import its exports again",
        )
    return JSONResponse({"id": (await context.services.refreshes.refresh(tenant, by)).id}, 202)


@router.get(
    "/refreshes/{refresh_id}", summary="How far a refresh is", operation_id="get_refresh", response_model=Progress
)
async def refresh_progress(context: Ctx, principal: Who, refresh_id: str) -> Progress:
    """State of each facet; `done` once nothing more is to be waited for."""
    found = context.services.refreshes.heard(refresh_id)
    if found is None or not principal.sees(found.tenant):
        raise Problem(
            404,
            f"no refresh {refresh_id[:80]} is known here: the portal has started since, or it is long ago;"
            " GET /api/v1/tenants/{tenant}/sources says how the sources of a tenant are doing",
        )
    return progress(found, context.services.sources.of(found.tenant), context.count_of(found.tenant).freshness)
