"""Owns the endpoints of sync runs: the list, and the confirmation of a held one."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from portal.answers.syncs import confirm_sync, runs_of
from portal.api.context import By, Ctx, Tenant
from portal.api.errors import errors
from portal.api.models.sources import SyncPage
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor, page
from schemas.commands import SyncRun
from schemas.events import FacetName
from schemas.times import to_ms

router = APIRouter(prefix="/api/v1/tenants/{tenant}/syncs", tags=["syncs"])


@router.get("", summary="Sync runs, newest first", operation_id="list_syncs", response_model=SyncPage)
async def list_syncs(
    context: Ctx,
    tenant: Tenant,
    facet: Annotated[FacetName | None, Query(description="of one facet alone")] = None,
    source: Annotated[str | None, Query(max_length=64, description="of one source alone")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Completed, held and confirmed syncs of a tenant; the last 20 of each facet, source and status."""
    context.require(tenant)
    after = decode_cursor(cursor, tuple[int, str, str, str])
    runs = sorted(await runs_of(context, tenant, facet or "", source or ""), key=_place)
    rest = [run for run in runs if after is None or _place(run) > after]
    return JSONResponse(
        page(rest[: limit + 1], limit, lambda run: encode_cursor(*_place(run)), lambda run: run.model_dump(mode="json"))
    )


def _place(run: SyncRun) -> tuple[int, str, str, str]:
    return -to_ms(run.started_at), run.facet, run.source, run.id


@router.post(
    "/{sync_id}/confirm", summary="Let a held sync through", operation_id="confirm_sync", response_model=SyncRun,
    responses=errors(409),
)  # fmt: skip
async def confirm(context: Ctx, tenant: Tenant, sync_id: str, by: By) -> SyncRun:
    """Sweep what the held sync did not see."""
    context.require(tenant)
    return await confirm_sync(context, tenant, sync_id, by)
