"""Owns the endpoint of history: figures of a range of time in steps, as JSON or CSV."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from portal.answers.csv_lines import CSV, MEDIA_TYPE, WantsCsv, attachment
from portal.answers.exports import history_csv
from portal.answers.history import points, read_history
from portal.answers.ranges import parse_range
from portal.api.context import Ctx, Tenant
from portal.api.models.history import History
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
async def get_history(
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
    history = await context.read(lambda: read_history(context.services.store, tenant, since, until, step))
    if not history.buckets and context.services.live.settings(tenant) is None:
        context.require(tenant)
    if as_csv:
        return Response(history_csv(history), media_type=MEDIA_TYPE, headers=attachment(f"{tenant}-licenses.csv"))
    demo_until = history.demo_until
    body = msgspec.json.encode(
        {
            "from": format_time(since),
            "to": format_time(until),
            "step": history.step_s,
            "demo_until": format_time(demo_until) if demo_until else None,
            "points": points(history),
        }
    )
    return Response(body, media_type="application/json")
