"""Owns a change of settings, for API and pages alike: what is checked, what only the provider may set, what comes of
it."""

import asyncio
from collections.abc import Callable
from typing import Any

from portal.access.principals import Principal
from portal.answers.context import Context
from portal.answers.outcomes import done
from portal.answers.settings_bodies import check_patch, check_put
from portal.problems import Problem
from portal.services import Mode
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import STAMPS, Settings, TenantSettings

_OF_THE_PROVIDER = ("ms_tenant_id", "customer_guid")
"""Who a tenant is elsewhere. Whoever could set the first would have another customer's directory read to him: the
provider's application may read all of them."""
_NOT_SET = {"tenant", *STAMPS}
_LATEST_S, _STEP_S = 3.0, 0.02


async def change_settings(
    context: Context, principal: Principal, name: str, mode: Mode, body: Any, seen: int | None, by: str
) -> dict[str, Any]:
    """Change settings of a tenant (or `_provider`) that a principal may change, and return the new ones. `seen`: the
    revision that the change was made for, if it matters.

    Raises Problem 403, 404, 412, 422, and ServiceError.
    """
    if not principal.changes_provider:
        context.require(name)  # which tenants there are is the provider's business
    checked = check_put(name, body) if mode == "put" else check_patch(name, body)
    if name != PROVIDER_KEY and not principal.changes_provider:
        _refuse_other_identity(context.settings_of(name), mode, checked)
        mode, checked = "patch", _without_identity(name, mode, checked)
    return done(await context.services.settings.change(name, mode, checked, seen, by))


async def newer(current: Callable[[], Settings], than: int) -> bool:
    """Wait a moment for settings newer than a revision: the counter's answer comes before this portal has read those of
    which it tells, whether they won a race or were made here. Returns whether they are there."""
    for _ in range(int(_LATEST_S / _STEP_S)):
        if current().revision > than:
            return True
        await asyncio.sleep(_STEP_S)
    return False


def _without_identity(name: str, mode: Mode, body: dict[str, Any]) -> dict[str, Any]:
    """Return a change as a patch of all that it is about but who the tenant is elsewhere: where the provider sets that
    at the same time, what the portal has not read yet must not be put back."""
    if mode == "put":
        body = TenantSettings.model_validate(body | {"tenant": name}).model_dump(mode="json", exclude=_NOT_SET)
    return {key: value for key, value in body.items() if key not in _OF_THE_PROVIDER}


def _refuse_other_identity(now: TenantSettings, mode: Mode, body: dict[str, Any]) -> None:
    wanted = TenantSettings.model_validate({"tenant": now.tenant, **{key: body.get(key) for key in _OF_THE_PROVIDER}})
    for key in _OF_THE_PROVIDER:
        if (mode == "put" or key in body) and getattr(wanted, key) != getattr(now, key):
            raise Problem(
                403,
                f"{key} of {now.tenant} is set by the provider alone: send what GET gives, or ask a provider admin",
            )
