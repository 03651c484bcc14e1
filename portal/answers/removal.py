"""Owns the removal of a tenant; the API and the page of its settings ask alike."""

from typing import Any

from portal.answers.context import Context
from portal.answers.outcomes import done
from portal.problems import Problem


async def remove_tenant(context: Context, tenant: str, *, purge: bool, by: str) -> dict[str, Any]:
    """Drop a tenant's facts, with `purge` its history too; returns what settings are left. Raises Problem 404 for one
    that was never heard of, 409 where it cannot be, and ServiceError."""
    live = context.services.live
    if live.settings(tenant) is None and live.count(tenant) is None:
        context.require(tenant)
    answer = await context.services.settings.change(tenant, "purge" if purge else "remove", {}, None, by)
    if answer.status != "done":
        raise Problem(409, f"the tenant {tenant} was not removed: {answer.detail}")
    return done(answer)
