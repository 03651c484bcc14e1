"""Owns the endpoint of a what-if: the count as it would be under other settings."""

from typing import Any, get_args

from fastapi import APIRouter

from portal.answers.tried_settings import tried_settings
from portal.answers.what_if import WhatIf, what_if
from portal.api.bodies import JsonBody, documented
from portal.api.context import Ctx, Tenant
from schemas.settings import Criteria, Factors, ServiceType

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["settings"])


def _nullable(names: Any, kind: str) -> dict[str, Any]:
    properties = {name: {"type": [kind, "null"]} for name in names}
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


_BODY = documented(
    {
        "type": "object",
        "description": "Absent = as it is, null = default.",
        "properties": {
            "factors": _nullable(Factors.model_fields, "boolean"),
            "criteria": _nullable(Criteria.model_fields, "string"),
            "gateways": {"type": ["array", "null"], "items": {"type": "string"}},
            "service_type": {"enum": [*get_args(ServiceType), None]},
            "acquired_licenses": {"type": ["integer", "null"], "minimum": 0},
        },
        "additionalProperties": False,
        "example": {"factors": {"lifecycle": False}, "criteria": {"dr_numbers": "^dr-"}, "acquired_licenses": 450},
    }
)


@router.post(
    "/what-if", summary="The count under other settings", operation_id="try_settings", response_model=WhatIf,
    openapi_extra=_BODY,
)  # fmt: skip
async def try_settings(context: Ctx, tenant: Tenant, body: JsonBody) -> WhatIf:
    """The count as it is and as it would be, and who would make the difference. Changes nothing."""
    live, now = context.count_of(tenant), context.settings_of(tenant)
    then = tried_settings(now, body)
    services = context.services
    return await context.read(lambda: what_if(services.store, live, now, then, services.live.provider(), context.now()))
