"""Owns the endpoints of alerts: what is open of all tenants and of one, the acknowledgement, and silences."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response

from portal.answers.alerts import Told, Wanted, acknowledge, find_alerts, open_of, read_changes, silenced_until
from portal.answers.context import Context
from portal.answers.ranges import parse_range
from portal.answers.silences import Held, add_silence, end_silences, silence_id, silences_of
from portal.api.bodies import JsonBody, documented
from portal.api.context import By, Ctx, Tenant, Who
from portal.api.errors import errors
from portal.api.models.alerts import AlertPage, HeldSilence, ListedAlert, SilenceEnded, TenantAlerts
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor, page
from schemas.alert import Alert, AlertLevel, AlertRule, AlertState
from schemas.identifiers import TenantId
from schemas.times import AwareTime, format_time

router = APIRouter(prefix="/api/v1", tags=["alerts"])

State = Annotated[
    Literal["firing", "resolved", "all"], Query(description="open, over (of the last seven days), or both")
]
ChangeState = Annotated[Literal["firing", "resolved", "all"], Query(description="what changes led to")]
From = Annotated[str | None, Query(alias="from", description="RFC 3339, 2026-03, or 30d (ago), which is the default")]
To = Annotated[str | None, Query(alias="to", description="likewise; default: now")]

_STATES: dict[str, AlertState | None] = {"firing": "firing", "resolved": "resolved", "all": None}
_OF_TENANT = "/tenants/{tenant}/alerts"


@router.get("/alerts", summary="Alerts of all tenants", operation_id="list_alerts", response_model=AlertPage)
async def list_alerts(
    context: Ctx,
    principal: Who,
    state: State = "firing",
    rule: Annotated[AlertRule | None, Query(description="of one rule alone")] = None,
    level: Annotated[AlertLevel | None, Query(description="at one level alone")] = None,
    search: Annotated[str | None, Query(max_length=256, description="in tenant id or display name")] = None,
    tenant: Annotated[TenantId | None, Query(description="of one tenant alone")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """The newest change of each alert, the gravest first, of the tenants that whoever asks may see."""
    if tenant is not None:
        context.require_seen(principal, tenant)
    context.require_ready()
    wanted = Wanted(_STATES[state], rule, level, search or "", tenant)
    found = find_alerts(context, wanted, principal.sees, limit, cursor)
    return JSONResponse({"items": [_listed(context, each) for each in found.alerts], "next_cursor": found.next_cursor})


@router.get(_OF_TENANT, summary="Alerts of a tenant", operation_id="list_tenant_alerts", response_model=TenantAlerts)
async def list_tenant_alerts(
    context: Ctx, tenant: Tenant, state: ChangeState = "all", start: From = None, end: To = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:  # fmt: skip
    """What is open, which silences hold, and the changes of [from, to) with what became of their telling."""
    context.require(tenant)
    since, until = parse_range(start or "30d", end, context.now())
    after = decode_cursor(cursor, tuple[AwareTime, str])
    told = await context.read(lambda: read_changes(context, tenant, since, until, _STATES[state], after, limit + 1))
    return JSONResponse(
        page(told, limit, lambda each: encode_cursor(*_place(each)), _changed)
        | {
            "open": [_listed(context, each) for each in open_of(context, tenant)],
            "silences": [_held(each) for each in silences_of(context, tenant)],
        }
    )


@router.post(
    f"{_OF_TENANT}/{{rule}}/acknowledge", summary="Say that an alert was seen", operation_id="acknowledge_alert",
    response_model=ListedAlert, responses=errors(409),
)  # fmt: skip
async def acknowledged(
    context: Ctx, tenant: Tenant, rule: Annotated[AlertRule, Path(description="of the open alert")], by: By
) -> Response:
    """Nobody is reminded of it any more until its level rises."""
    context.require(tenant)
    return JSONResponse(_listed(context, await acknowledge(context, tenant, rule, by)))


@router.post(
    f"{_OF_TENANT}/silences", status_code=201, summary="Mute alerts of a tenant", operation_id="add_silence",
    response_model=HeldSilence, openapi_extra=documented({"$ref": "#/components/schemas/SilencePut"}),
)  # fmt: skip
async def silence(context: Ctx, principal: Who, tenant: Tenant, body: JsonBody, by: By) -> Response:
    """Add a silence to the tenant's settings: alerts are raised and kept, and nobody is told of them until it ends."""
    context.require(tenant)
    return JSONResponse(_held(await add_silence(context, principal, tenant, body, by)), 201)


@router.delete(
    f"{_OF_TENANT}/silences/{{silence_id}}", summary="End a silence", operation_id="end_silence",
    response_model=SilenceEnded,
)  # fmt: skip
async def unsilence(
    context: Ctx,
    principal: Who,
    tenant: Tenant,
    wanted: Annotated[str, Path(alias="silence_id", max_length=64, description="of one of the tenant's own silences")],
    by: By,
) -> Response:
    """Take a silence out of the tenant's settings. What came about in it and still holds is told now."""
    context.require(tenant)
    await end_silences(context, principal, tenant, lambda each: silence_id(each) == wanted, by)
    return JSONResponse({"tenant": tenant, "id": wanted})


def _listed(context: Context, alert: Alert) -> dict[str, Any]:
    until = silenced_until(context, alert)
    return alert.model_dump(mode="json") | {"silenced_until": format_time(until) if until else None}


def _changed(told: Told) -> dict[str, Any]:
    # Not the error of a failed one: it may name an address.
    shown = {"channel", "state", "attempts", "at"}
    return told.alert.model_dump(mode="json") | {
        "deliveries": [each.model_dump(mode="json", include=shown) for each in told.deliveries]
    }


def _held(held: Held) -> dict[str, Any]:
    return held.silence.model_dump(mode="json") | {"id": held.id, "scope": held.scope}


def _place(told: Told) -> tuple[str, str]:
    return format_time(told.alert.at), told.alert.id
