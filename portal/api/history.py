"""Owns the endpoint of history: figures of a range of time in steps, as JSON or CSV."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from portal.api.context import Ctx, Tenant
from portal.api.models.history import History
from portal.csv_lines import CSV, MEDIA_TYPE, WantsCsv, attachment
from portal.exports import history_csv
from portal.ports import Bucket
from portal.ranges import choose_step, parse_range
from schemas.times import format_time

router = APIRouter(prefix="/api/v1/tenants", tags=["history"])

From = Annotated[str | None, Query(alias="from", description="RFC 3339, 2026-03, or 30d (ago); default: a day ago")]
To = Annotated[str | None, Query(alias="to", description="likewise; default: now")]


@router.get(
    "/{tenant}/licenses/history",
    summary="Figures over time",
    operation_id="get_history",
    responses=CSV,
    response_model=History,
)
async def history(
    context: Ctx,
    tenant: Tenant,
    start: From = None,
    end: To = None,
    step: Annotated[str | None, Query(description="auto (about 1,000 points), 1m, 1h, 1d, or seconds")] = None,
    as_csv: WantsCsv = False,
) -> Response:
    """Figures of [from, to) in steps. The last value before the range is carried into it; no peak is lost.

    `demo_until`: points up to this one are made-up demo data; null where none is.
    """
    since, until = parse_range(start, end, context.now())
    step_s = choose_step(step, since, until)
    buckets = await context.read(lambda: context.services.store.buckets(tenant, since, until, step_s))
    if not buckets and context.services.live.settings(tenant) is None:
        context.require(tenant)
    points = [_point(bucket) for bucket in buckets]
    if as_csv:
        return Response(
            history_csv(points, [bucket.demo for bucket in buckets]), media_type=MEDIA_TYPE,
            headers=attachment(f"{tenant}-licenses.csv"),
        )  # fmt: skip
    demo = [format_time(bucket.at) for bucket in buckets if bucket.demo]
    return JSONResponse(
        {
            "from": format_time(since),
            "to": format_time(until),
            "step": step_s,
            "demo_until": demo[-1] if demo else None,
            "points": points,
        }
    )


def _point(bucket: Bucket) -> dict[str, Any]:
    pool = bucket.acquired_licenses
    return {
        "at": format_time(bucket.at),
        "currently_licensed": {"min": bucket.min, "max": bucket.max, "last": bucket.last, "avg": round(bucket.avg, 2)},
        "acquired_licenses": pool,
        "available_licenses": None if pool is None else pool - bucket.last,
        "user_licenses": bucket.user_licenses,
        "dr_phone_licenses": bucket.dr_phone_licenses,
        "factors": bucket.factors,
    }
