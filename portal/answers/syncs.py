"""Owns the confirmation of a held sync, for API and pages alike."""

from portal.answers.context import Context
from portal.problems import Problem
from schemas.commands import SyncRun


async def runs_of(context: Context, tenant: str, facet: str = "", source: str = "") -> list[SyncRun]:
    """Return the last sync runs of a tenant, newest first."""
    found = await context.read(lambda: context.services.store.syncs(tenant, facet, source))
    return [SyncRun.model_validate(run) for run in found]


async def confirm_sync(context: Context, tenant: str, sync_id: str, by: str) -> SyncRun:
    """Sweep what a held sync did not see. Raises Problem 404 for one that is not there, 409 for one that is not held,
    and ServiceError."""
    run = next((run for run in await runs_of(context, tenant) if run.id == sync_id), None)
    if run is None:
        raise Problem(
            404,
            f"the tenant {tenant} has no sync {sync_id[:80]}: GET /api/v1/tenants/{tenant}/syncs lists those it has",
        )
    if run.status != "held":
        raise Problem(409, f"the sync {sync_id} is {run.status} already: only a held one waits for a confirmation")
    return await context.services.syncs.confirm(run, by, context.now())
