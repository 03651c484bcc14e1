"""Owns the endpoints of settings: of a tenant, of the provider, and who changed what."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.settings_changes import change_settings
from portal.answers.settings_log import own_revisions
from portal.api.answers import NOT_MODIFIED, IfNoneMatch, etag, expected_revision, tagged, unless_known
from portal.api.bodies import JsonBody, documented
from portal.api.body_schemas import settings_body
from portal.api.context import By, Ctx, Tenant, Who
from portal.api.errors import errors
from portal.api.models.settings import RevisionPage
from portal.pagination import Cursor, Limit, decode_cursor, encode_cursor, page
from portal.services import Mode
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import ProviderSettings, TenantSettings

router = APIRouter(prefix="/api/v1", tags=["settings"])

IfMatch = Annotated[str | None, Header(description="ETag of the revision that was seen; 412 if it is another by now")]
_PUT, _PATCH = (documented(settings_body(TenantSettings, suffix)) for suffix in ("Put", "Patch"))
_PROVIDER_PUT, _PROVIDER_PATCH = (documented(settings_body(ProviderSettings, suffix)) for suffix in ("Put", "Patch"))
_TAGGED = tagged("Of this revision: for If-Match and If-None-Match.")


@router.get(
    "/tenants/{tenant}/settings", summary="Settings of a tenant", operation_id="get_settings",
    response_model=TenantSettings, responses=_TAGGED | NOT_MODIFIED,
)  # fmt: skip
async def read(context: Ctx, tenant: Tenant, if_none_match: IfNoneMatch = None) -> Response:
    """The settings of a tenant; defaults (revision 0) for one that is known from its events alone."""
    settings = context.services.live.settings(tenant)
    if settings is None:
        context.require(tenant)
        settings = TenantSettings(tenant=tenant)
    return unless_known(settings, etag(settings.revision), if_none_match)


@router.put(
    "/tenants/{tenant}/settings",
    summary="Replace the settings of a tenant",
    operation_id="replace_settings",
    response_model=TenantSettings,
    responses=_TAGGED | errors(412),
    openapi_extra=_PUT,
)
async def replace(
    context: Ctx, principal: Who, tenant: Tenant, body: JsonBody, by: By, if_match: IfMatch = None
) -> Response:
    """Replace the settings: what the body does not name is the default. A provider admin makes a tenant by it."""
    return await _change(context, principal, tenant, "put", body, by, if_match)


@router.patch(
    "/tenants/{tenant}/settings",
    summary="Change settings of a tenant",
    operation_id="change_settings",
    response_model=TenantSettings,
    responses=_TAGGED | errors(412),
    openapi_extra=_PATCH,
)
async def change(
    context: Ctx, principal: Who, tenant: Tenant, body: JsonBody, by: By, if_match: IfMatch = None
) -> Response:
    """Merge the body into the settings (RFC 7396): null is the default. A provider admin makes a tenant by it."""
    return await _change(context, principal, tenant, "patch", body, by, if_match)


@router.get(
    "/provider/settings", summary="Defaults of the provider", operation_id="get_provider_settings",
    response_model=ProviderSettings, responses=_TAGGED | NOT_MODIFIED,
)  # fmt: skip
async def read_provider(context: Ctx, if_none_match: IfNoneMatch = None) -> Response:
    """The provider's own defaults."""
    context.require_ready()
    settings = context.services.live.provider()
    return unless_known(settings, etag(settings.revision), if_none_match)


@router.put(
    "/provider/settings",
    summary="Replace the provider's defaults",
    operation_id="replace_provider_settings",
    response_model=ProviderSettings,
    responses=_TAGGED | errors(412),
    openapi_extra=_PROVIDER_PUT,
)
async def replace_provider(context: Ctx, principal: Who, body: JsonBody, by: By, if_match: IfMatch = None) -> Response:
    """Replace the provider's defaults."""
    return await _change(context, principal, PROVIDER_KEY, "put", body, by, if_match)


@router.patch(
    "/provider/settings",
    summary="Change the provider's defaults",
    operation_id="change_provider_settings",
    response_model=ProviderSettings,
    responses=_TAGGED | errors(412),
    openapi_extra=_PROVIDER_PATCH,
)
async def change_provider(context: Ctx, principal: Who, body: JsonBody, by: By, if_match: IfMatch = None) -> Response:
    """Merge the body into the provider's defaults (RFC 7396)."""
    return await _change(context, principal, PROVIDER_KEY, "patch", body, by, if_match)


async def _change(
    context: Context, principal: Principal, name: str, mode: Mode, body: Any, by: str, if_match: str | None
) -> Response:
    seen = expected_revision(if_match)
    settings = await change_settings(context, principal, name, mode, body, seen, by)
    return JSONResponse(settings, headers={"ETag": etag(settings["revision"])})


@router.get(
    "/tenants/{tenant}/settings/changes", summary="Who changed what", operation_id="list_settings_changes",
    response_model=RevisionPage,
)  # fmt: skip
async def changes(context: Ctx, tenant: Tenant, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Every revision of the settings and what it changed, newest first."""
    revisions = await context.read(lambda: context.services.store.settings_history(tenant))
    if not revisions:
        context.require(tenant)
    before = decode_cursor(cursor, tuple[int])
    items = own_revisions(tenant, revisions)
    rest = [item for item in items if before is None or item["revision"] < before[0]]
    return JSONResponse(page(rest[: limit + 1], limit, lambda item: encode_cursor(item["revision"]), lambda item: item))
