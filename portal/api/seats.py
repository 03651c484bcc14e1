"""Owns the endpoints of single subjects: seats, explanations, changes, and the audit over all of them."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response

from portal.answers.audit import audit
from portal.answers.changes import Item, list_changes
from portal.answers.context import Context
from portal.answers.csv_lines import CSV, WantsCsv, streamed
from portal.answers.erasure import forget
from portal.answers.exports import changes_csv, seats_csv
from portal.answers.ranges import parse_instant, parse_range
from portal.answers.seats import explain_seat, list_seats
from portal.api.context import Ctx, Tenant
from portal.api.errors import errors
from portal.api.history import From, To
from portal.api.models.audit import Audit
from portal.api.models.changes import ChangePage
from portal.api.models.seats import Explanation, ForgottenSeat, SeatPage
from portal.pagination import Cursor, Limit, Revision, decode_cursor, encode_cursor, page
from portal.problems import Problem
from schemas.identifiers import SubjectId
from schemas.times import AwareTime, format_time

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["seats"])

Factor = Literal[
    "counted", "none", "all", "direct_routing", "operator_connect", "lifecycle", "user_interface", "service_number"
]
At = Annotated[str | None, Query(description="as recorded at this time; default: now")]

AUDIT_ATTEMPTS = 3
AUDIT_PAUSE_S = 1.0


@router.get("/seats", summary="Who is counted", operation_id="list_seats", responses=CSV, response_model=SeatPage)
async def seats(
    context: Ctx,
    tenant: Tenant,
    factor: Factor = "counted",
    search: Annotated[str | None, Query(max_length=256, description="in id, name or user principal name")] = None,
    at: At = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    as_csv: WantsCsv = False,
) -> Response:
    """Subjects by id: those that are counted, or by factor, `none` (known and not counted) or `all`.

    As CSV all that match, without pages.
    """
    context.require(tenant)
    instant = _instant(context, at)
    if as_csv:
        lines = seats_csv(context, tenant, at=instant, factor=factor, search=search)
        return await streamed(lines, f"{tenant}-seats.csv")
    after = decode_cursor(cursor, tuple[str]) or ("",)

    def read() -> list[dict[str, Any]]:
        masks = context.masks_of(tenant)
        return list_seats(
            context.services.store, tenant, masks,
            at=instant, factor=factor, search=search, after=after[0], limit=limit + 1,
        )  # fmt: skip

    found = await context.read(read)
    return JSONResponse(page(found, limit, lambda item: encode_cursor(item["subject"]), lambda item: item))


@router.get(
    "/seats/{subject}", summary="Why a subject is counted, or not", operation_id="explain_seat",
    response_model=Explanation,
)  # fmt: skip
async def explain(
    context: Ctx,
    tenant: Tenant,
    subject: Annotated[SubjectId, Path(description="user:<id> or number:<number>")],
    at: At = None,
) -> Response:
    """Facts, decisions in words, and the changes that led there."""
    context.require(tenant)
    instant = _instant(context, at)
    found = await context.read(
        lambda: explain_seat(context.services.store, tenant, subject, context.masks_of(tenant), instant)
    )
    if found is None:
        when = f" at {format_time(instant)}" if instant else ""
        raise Problem(
            404,
            f"nothing was known of {subject} of the tenant {tenant}{when}:"
            f" GET /api/v1/tenants/{tenant}/seats?factor=all&search=… finds subjects by name",
        )
    return JSONResponse(found)


@router.delete(
    "/seats/{subject}", summary="Forget a person or number", operation_id="forget_subject",
    response_model=ForgottenSeat, responses=errors(409),
)  # fmt: skip
async def forget_seat(
    context: Ctx,
    tenant: Tenant,
    subject: Annotated[SubjectId, Path(description="user:<id> or number:<number>")],
    gone: Annotated[bool, Query(description="it is gone, though sources still tell of it: count it no more")] = False,
) -> Response:
    """Erase what is stored of a subject. Its history stays under a pseudonym and without facts, so that figures stay.

    One that sources still tell of is forgotten only if it is `gone`, and comes back once a source tells of it again.
    """
    context.require(tenant)
    done = await forget(context, tenant, subject, gone=gone)
    told = {"pseudonym": done.pseudonym, "changes": done.changes, "cleared": done.cleared}
    return JSONResponse(told | {"kafka_until": format_time(done.kafka_until)})


@router.get("/changes", summary="What changed", operation_id="list_changes", responses=CSV, response_model=ChangePage)
async def changes(
    context: Ctx, tenant: Tenant, start: From = None, end: To = None, limit: Limit = 100, cursor: Cursor = None,
    as_csv: WantsCsv = False,
) -> Response:  # fmt: skip
    """Subjects that moved between factors, and settings with the number of subjects they moved; oldest first.

    As CSV all of the range, without pages.
    """
    context.require(tenant)
    since, until = parse_range(start, end, context.now())
    if as_csv:
        return await streamed(changes_csv(context, tenant, since, until), f"{tenant}-changes.csv")
    after = decode_cursor(cursor, tuple[AwareTime, str, Revision])

    def read() -> list[Item]:
        store = context.services.store
        return list_changes(store, tenant, context.masks_of(tenant), since, until, after, limit + 1)

    found = await context.read(read)
    return JSONResponse(
        page(
            found,
            limit,
            lambda item: encode_cursor(format_time(item.place[0]), item.place[1], item.place[2]),
            lambda item: item.shown,
        )
    )


@router.get("/audit", summary="Recount from the facts", operation_id="audit_tenant", response_model=Audit)
async def audit_tenant(context: Ctx, tenant: Tenant) -> Response:
    """A recount beside the live count, with the subjects that differ.

    What is still on its way to ClickHouse is no difference: one is told when it stands after some seconds.
    """
    context.require(tenant)
    for attempt in range(AUDIT_ATTEMPTS):
        if attempt:
            await asyncio.sleep(AUDIT_PAUSE_S)
        live, settings, mask = context.count_of(tenant), context.settings_of(tenant), context.mask_of(tenant)
        found = await context.read(
            lambda live=live, settings=settings, mask=mask: audit(  # type: ignore[misc]  # bound to this attempt
                context.services.store, settings, mask, live, context.now()
            )
        )
        if found["agrees"]:
            break
    return JSONResponse(found)


def _instant(context: Context, at: str | None) -> datetime | None:
    return parse_instant(at, context.now()) if at else None
