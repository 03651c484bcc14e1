"""Owns the endpoint of event intake."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.api.bodies import documented, read_body
from portal.api.body_schemas import one_or_many_events
from portal.api.context import Ctx, Who
from portal.api.models.events import Receipt
from portal.problems import Problem
from schemas import traces
from schemas.events import MAX_ARRAY_BYTES, MAX_ARRAY_EVENTS
from schemas.intake import Rejection
from schemas.times import to_ms

router = APIRouter(prefix="/api/v1", tags=["events"])

_BODY = documented(one_or_many_events())


@router.post(
    "/events", status_code=202, summary="Send an event or an array of events", operation_id="send_events",
    response_model=Receipt, openapi_extra=_BODY,
)  # fmt: skip
async def receive(context: Ctx, principal: Who, request: Request) -> JSONResponse:
    """Publish events; sending them twice changes nothing. Answers once they are kept.

    A tenant's admin sends events of its tenants, and makes none of them.
    """
    body = await read_body(request, MAX_ARRAY_BYTES, f"send {MAX_ARRAY_EVENTS:,} events or fewer")
    with _span(request):
        result = await context.services.intake.accept(body, to_ms(context.now()), _may_send(context, principal))
    counted = request.app.state.metrics.events
    counted.labels("accepted").inc(result.accepted)
    counted.labels("rejected").inc(len(result.rejected))
    rejected = [_shown(item) for item in result.rejected]
    if result.rejected and not result.accepted:
        first = result.rejected[0]
        status = 413 if first.reason == "too_large" else 400 if _is_not_json(body, first) else 422
        raise Problem(status, f"no event was accepted: {first.detail}", accepted=0, rejected=rejected)
    answer: dict[str, Any] = {"accepted": result.accepted, "rejected": rejected}
    if result.unknown_facts:
        answer["unknown_facts"] = result.unknown_facts
    return JSONResponse(answer, 202)


def _span(request: Request) -> AbstractContextManager[None]:
    if not traces.is_on():
        return traces.NOTHING
    sender = traces.read(request.headers.get(traces.HEADER, ""))
    return traces.span("POST /api/v1/events", "server", [sender] if sender is not None else [])


def _may_send(context: Context, principal: Principal) -> Callable[[str], bool]:
    if principal.changes_provider:
        return lambda _: True
    context.require_ready()
    return lambda tenant: principal.changes(tenant) and context.exists(tenant)


def _is_not_json(body: bytes, first: Rejection) -> bool:
    # One bad element of an array is not JSON either way; the status is about the body as a whole.
    if first.reason != "not_json":
        return False
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return True
    return False


def _shown(item: Rejection) -> dict[str, Any]:
    return {"index": item.index, "reason": item.detail, "kind": item.reason}
