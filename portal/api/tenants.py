"""Owns the endpoints of counts: the page of tenants, one tenant's count, its removal."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from portal.answers.removal import remove_tenant
from portal.answers.tenant_list import Sort, Wanted, find_tenants, sparklines
from portal.api.answers import NOT_MODIFIED, IfNoneMatch, tagged, unless_known
from portal.api.context import By, Ctx, Tenant, Who
from portal.api.errors import errors
from portal.api.models.counts import CountPage, Removed
from portal.pagination import Cursor, Limit
from schemas.count import Count, Hint
from schemas.times import format_time

router = APIRouter(prefix="/api/v1/tenants", tags=["counts"])


@router.get("", summary="Page of counts", operation_id="list_tenants", response_model=CountPage)
async def list_tenants(
    context: Ctx,
    principal: Who,
    search: Annotated[str | None, Query(max_length=256, description="in tenant id or display name")] = None,
    over: Annotated[float | None, Query(description="usage of at least this percent")] = None,
    stale: Annotated[bool | None, Query(description="whose figures are, or are not, older than they should be")] = None,
    hint: Annotated[Hint | None, Query(description="whose count carries this hint")] = None,
    alerting: Annotated[bool | None, Query(description="whose usage has reached its warning limit, or not")] = None,
    sort: Sort = "tenant",
    sparkline: Annotated[
        Literal["30d"] | None, Query(description="adds the highest count of each of the last 30 days (UTC), today last")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Counts of all tenants, filtered and sorted."""
    context.require_ready()
    wanted = Wanted(search or "", over, stale=stale, hint=hint, alerting=alerting, sort=sort)
    found = find_tenants(context, wanted, principal.sees, limit, cursor)
    lines = await sparklines(context, [count.tenant for count in found.counts]) if sparkline else None
    return counts_page(found.counts, found.next_cursor, lines)


def counts_page(
    counts: Sequence[Count], next_cursor: str | None, lines: Mapping[str, list[int]] | None = None
) -> Response:
    """Return a page of counts, each with its sparkline where there are `lines`; encoded by the models themselves, for a
    page may hold a thousand."""
    items = [count.model_dump_json().encode() for count in counts]
    if lines is not None:
        items = [
            item[:-1] + b',"sparkline":' + msgspec.json.encode(lines.get(count.tenant, [])) + b"}"
            for item, count in zip(items, counts, strict=True)
        ]
    cursor = b"null" if next_cursor is None else b'"' + next_cursor.encode() + b'"'
    return Response(
        b'{"items":[' + b",".join(items) + b'],"next_cursor":' + cursor + b"}", media_type="application/json"
    )


@router.get(
    "/{tenant}/licenses", summary="The count now", operation_id="get_licenses", response_model=Count,
    responses=tagged("`epoch.version`, for If-None-Match; none before a count was published.") | NOT_MODIFIED,
)  # fmt: skip
async def licenses(context: Ctx, tenant: Tenant, if_none_match: IfNoneMatch = None) -> Response:
    """The current licence count of a tenant."""
    count = context.count_of(tenant)
    if not count.version:
        # Never published: it changes with the settings, and no version says when.
        return Response(count.model_dump_json(), media_type="application/json")
    return unless_known(count, f'"{count.epoch}.{count.version}"', if_none_match)


@router.delete(
    "/{tenant}", summary="Remove a tenant", tags=["settings"], operation_id="remove_tenant", response_model=Removed,
    responses=errors(409),
)  # fmt: skip
async def remove(
    context: Ctx,
    tenant: Tenant,
    by: By,
    purge: Annotated[bool, Query(description="history goes too, at once")] = False,
) -> Response:
    """Drop a tenant's facts. Its history stays until its retention ends, or goes with `purge`."""
    settings = await remove_tenant(context, tenant, purge=purge, by=by)
    removed_at = settings.get("removed_at") or format_time(context.now())
    return JSONResponse({"tenant": tenant, "removed_at": removed_at, "purged": purge})
