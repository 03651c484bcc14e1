"""Owns the endpoints of sync runs: the list, and the confirmation of a held one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from portal.api.context import By, Ctx, Tenant
from portal.problems import Problem
from schemas.commands import SyncRun
from schemas.events import FacetName

router = APIRouter(prefix="/api/v1/tenants/{tenant}/syncs", tags=["syncs"])


@router.get("", summary="Sync runs, newest first")
async def list_syncs(
    context: Ctx,
    tenant: Tenant,
    facet: Annotated[FacetName | None, Query(description="of one facet alone")] = None,
    source: Annotated[str | None, Query(max_length=64, description="of one source alone")] = None,
) -> dict[str, Any]:
    """Completed, held and confirmed syncs of a tenant; the last 20 of each facet, source and status."""
    context.require(tenant)
    runs = await context.read(lambda: context.services.store.syncs(tenant, facet or "", source or ""))
    return {"items": [SyncRun.model_validate(run).model_dump(mode="json") for run in runs], "next_cursor": None}


@router.post("/{sync_id}/confirm", summary="Let a held sync through", response_model=SyncRun)
async def confirm(context: Ctx, tenant: Tenant, sync_id: str, by: By) -> SyncRun:
    """Sweep what the held sync did not see."""
    context.require(tenant)
    runs = await context.read(lambda: context.services.store.syncs(tenant))
    found = next((run for run in runs if run["id"] == sync_id), None)
    if found is None:
        raise Problem(
            404,
            f"the tenant {tenant} has no sync {sync_id[:80]}: GET /api/v1/tenants/{tenant}/syncs lists those it has",
        )
    run = SyncRun.model_validate(found)
    if run.status != "held":
        raise Problem(409, f"the sync {sync_id} is {run.status} already: only a held one waits for a confirmation")
    return await context.services.syncs.confirm(run, by, context.now())
