"""Owns the history of syncs over REST: what an import judges its own sync by (`collectors.sync.SyncHistory`)."""

import asyncio
from collections.abc import Sequence

from collectors.errors import HistoryUnavailableError
from runtime.cli.client import Api, NotThere, Refused, tenant_path
from schemas.commands import SyncRun
from schemas.events import FacetName


class ApiHistory:
    """Asks a running portal."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def last_runs(self, tenant: str, facet: FacetName, source: str) -> Sequence[SyncRun]:
        """Return the runs of (tenant, facet, source); none for a tenant that was never heard of."""
        try:
            path = tenant_path(tenant, "/syncs")
            runs = await asyncio.to_thread(lambda: list(self._api.items(path, facet=facet, source=source)))
        except Refused as error:
            if error.status == 404:
                return []
            raise HistoryUnavailableError(f"the portal does not tell of earlier syncs: {error}") from error
        except NotThere as error:
            raise HistoryUnavailableError(f"earlier syncs cannot be asked for: {error}") from error
        return [SyncRun.model_validate(run) for run in runs]
