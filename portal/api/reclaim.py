"""Owns the endpoint of the reclaim list: seats that could be freed, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from licensing.reclaim import Reason
from portal.answers.csv_lines import CSV, WantsCsv, streamed
from portal.answers.reclaim import FIRST, OLD_DAYS, describe, find_reclaimable, place_of, reclaim_csv
from portal.api.context import Ctx, Tenant
from portal.api.models.reclaim import ReclaimPage
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["seats"])


@router.get(
    "/reclaim", summary="Seats that could be freed", operation_id="list_reclaimable", responses=CSV,
    response_model=ReclaimPage,
)  # fmt: skip
async def list_reclaimable(
    context: Ctx,
    tenant: Tenant,
    reason: Annotated[Reason | None, Query(description="this reason alone")] = None,
    older_than_days: Annotated[
        int, Query(ge=1, le=3_650, description="from which age on a change by hand is old")
    ] = OLD_DAYS,
    limit: Limit = 100,
    cursor: Cursor = None,
    as_csv: WantsCsv = False,
) -> Response:
    """Counted subjects that may be wasting a seat, by reason, each with what that rests on. One subject may be found
    for several reasons.

    As CSV all of them, without pages.
    """
    context.require(tenant)
    if as_csv:
        return await streamed(reclaim_csv(context, tenant, reason, older_than_days), f"{tenant}-reclaim.csv")
    after = decode_cursor(cursor, tuple[int, str]) or FIRST

    def read() -> dict[str, Any]:
        reclaim = find_reclaimable(context, tenant, older_than_days)
        found = reclaim.after(after, reason, limit + 1)
        here = found[:limit]
        return {
            "totals": reclaim.totals(),
            "stale_facets": reclaim.stale_facets,
            "items": describe(context, tenant, reclaim, here),
            "next_cursor": encode_cursor(*place_of(here[-1])) if len(found) > limit else None,
        }

    return JSONResponse(await context.read(read))
