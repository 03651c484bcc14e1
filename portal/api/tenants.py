"""Owns the endpoints of counts: the page of tenants, one tenant's count, its removal."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from portal.api.answers import done
from portal.api.context import By, Context, Ctx, Tenant
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor
from portal.problems import Problem
from schemas.count import Count
from schemas.times import format_time

router = APIRouter(prefix="/api/v1/tenants", tags=["counts"])

Sort = Literal["tenant", "usage", "licensed", "available"]

_LAST = float("inf")
# Highest usage and most licences first, fewest available first; tenants without a pool last.
_KEYS: dict[Sort, Callable[[Count], float]] = {
    "tenant": lambda _: 0.0,
    "usage": lambda count: _LAST if count.usage_percent is None else -count.usage_percent,
    "licensed": lambda count: -float(count.currently_licensed),
    "available": lambda count: _LAST if count.available_licenses is None else float(count.available_licenses),
}


@router.get("", summary="Page of counts")
async def list_tenants(
    context: Ctx,
    search: Annotated[str | None, Query(max_length=256, description="in tenant id or display name")] = None,
    over: Annotated[float | None, Query(description="usage of at least this percent")] = None,
    sort: Sort = "tenant",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Counts of all tenants, filtered and sorted."""
    context.require_ready()
    # An infinite key is not JSON: the cursor carries None for it.
    after = decode_cursor(cursor, tuple[float | None, str])
    place = None if after is None else (_LAST if after[0] is None else after[0], after[1])
    key = _KEYS[sort]
    found = sorted((key(count), count.tenant, count) for count in _known(context, search, over))
    rest = [entry for entry in found if place is None or entry[:2] > place]
    here = rest[:limit]
    following = None
    if len(rest) > limit:
        last = here[-1]
        following = encode_cursor(None if last[0] == _LAST else last[0], last[1])
    return counts_page([entry[2] for entry in here], following)


def _known(context: Context, search: str | None, over: float | None) -> list[Count]:
    live = context.services.live
    settings = live.all_settings()
    names = live.counts().keys() | settings.keys()
    wanted = (search or "").casefold()
    found: list[Count] = []
    for name in names:
        own = settings.get(name)
        if own is not None and own.is_removed:
            continue
        if wanted and wanted not in name and wanted not in ((own and own.display_name) or "").casefold():
            continue
        count = context.count_of(name)
        if over is None or (count.usage_percent is not None and count.usage_percent >= over):
            found.append(count)
    return found


def counts_page(counts: list[Count], next_cursor: str | None) -> Response:
    """Return a page of counts; encoded by the models themselves, for a page may hold a thousand."""
    items = b",".join(count.model_dump_json().encode() for count in counts)
    cursor = b"null" if next_cursor is None else b'"' + next_cursor.encode() + b'"'
    return Response(b'{"items":[' + items + b'],"next_cursor":' + cursor + b"}", media_type="application/json")


@router.get("/{tenant}/licenses", summary="The count now", response_model=Count)
async def licenses(context: Ctx, tenant: Tenant) -> Response:
    """The current licence count of a tenant."""
    return Response(context.count_of(tenant).model_dump_json(), media_type="application/json")


@router.delete("/{tenant}", summary="Remove a tenant", tags=["settings"])
async def remove(
    context: Ctx,
    tenant: Tenant,
    by: By,
    purge: Annotated[bool, Query(description="history goes too, at once")] = False,
) -> dict[str, Any]:
    """Drop a tenant's facts. Its history stays until its retention ends, or goes with `purge`."""
    live = context.services.live
    if live.settings(tenant) is None and live.count(tenant) is None:
        context.require(tenant)
    answer = await context.services.settings.change(tenant, "purge" if purge else "remove", {}, None, by)
    if answer.status != "done":
        raise Problem(409, f"the tenant {tenant} was not removed: {answer.detail}")
    settings = done(answer)
    removed_at = settings.get("removed_at") or format_time(context.now())
    return {"tenant": tenant, "removed_at": removed_at, "purged": purge}
