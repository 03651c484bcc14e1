"""Owns the endpoints of sync runs: the list, and the confirmation of a held one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from portal.api.context import By, Ctx, Tenant
from portal.syncs import confirm_sync, runs_of
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
    runs = await runs_of(context, tenant, facet or "", source or "")
    return {"items": [run.model_dump(mode="json") for run in runs], "next_cursor": None}


@router.post("/{sync_id}/confirm", summary="Let a held sync through", response_model=SyncRun)
async def confirm(context: Ctx, tenant: Tenant, sync_id: str, by: By) -> SyncRun:
    """Sweep what the held sync did not see."""
    context.require(tenant)
    return await confirm_sync(context, tenant, sync_id, by)
