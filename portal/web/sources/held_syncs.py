"""Owns the list of held syncs, each with what letting it through would remove."""

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.syncs import confirm_sync, runs_of
from portal.problems import Problem
from portal.web.frame.saving import told
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LocalTime, licences
from portal.web.pieces.text import Text, figure_cell, heading, table, tag
from portal.web.pieces.words import FACETS
from schemas.commands import SyncRun

_COLUMNS = ("Tenant", "Facet", "Source", "Began", "Saw", "Expected", "Decision")
_MOST_TENANTS = 50


class HeldSyncs:
    """Syncs that would have removed suspiciously many, of the tenants whose count says so."""

    def __init__(self, here: Visit) -> None:
        self._here = here
        heading("Syncs that wait for a person")
        self._state = Text("p").props("role=status")
        with table("Held syncs", _COLUMNS, numbers=("Saw", "Expected")) as self._rows:
            pass

    async def load(self) -> None:
        """Read and show them."""
        counts = self._here.context.services.live.counts()
        tenants = sorted(name for name, count in counts.items()
                         if "sync_held" in count.hints and self._here.principal.sees(name))  # fmt: skip
        self._rows.clear()
        runs: list[SyncRun] = []
        try:
            for tenant in tenants[:_MOST_TENANTS]:
                runs += [run for run in await runs_of(self._here.context, tenant) if run.status == "held"]
        except clickhouse.ClickHouseError:
            self._state.set_text("Sync runs cannot be read from ClickHouse now: check that it runs, and load again.")
            return
        self._state.set_text(_summary(len(tenants)))
        with self._rows:
            for run in runs:
                self._row(run)

    def _row(self, run: SyncRun) -> None:
        with tag("tr"):
            with tag("th").props("scope=row"):
                ui.link(run.tenant, f"/tenants/{run.tenant}")
            Text("td", FACETS[run.facet])
            Text("td", run.source)
            with tag("td"):
                LocalTime(run.started_at)
            figure_cell(licences(run.seen))
            figure_cell(licences(run.expected))
            with tag("td"):
                if self._here.may_change(run.tenant):
                    ui.button("Let it through", on_click=lambda: self._ask(run)).props("outline")

    def _ask(self, run: SyncRun) -> None:
        with ui.dialog(value=True) as dialog, ui.card():
            heading(f"Let the sync of {FACETS[run.facet]} through?")
            gone = max((run.expected or 0) - run.seen, 0)
            Text("p", f"{run.source} saw {run.seen:,} of {run.tenant} where {run.expected or 0:,} were expected. About"
                      f" {gone:,} that it did not see lose what it told of them; counts follow at once.")  # fmt: skip
            with ui.element("div").classes("toolbar"):
                ui.button("Let it through", on_click=lambda: self._confirm(run, dialog))
                ui.button("Cancel", on_click=dialog.close).props("flat")

    async def _confirm(self, run: SyncRun, dialog: ui.dialog) -> None:
        with told():
            if not self._here.may_change(run.tenant):
                raise Problem(403, "You may look at this tenant and not change it: ask an administrator.")
            await confirm_sync(self._here.context, run.tenant, run.id, self._here.principal.name)
            dialog.close()
            ui.notify(f"The sync of {FACETS[run.facet]} of {run.tenant} goes through.", type="positive")
            await self.load()


def _summary(tenants: int) -> str:
    if not tenants:
        return "None: no sync would have removed suspiciously many."
    cut = f"; the first {_MOST_TENANTS} of them are shown" if tenants > _MOST_TENANTS else ""
    return f"A sync is held for {tenants:,} {'tenant' if tenants == 1 else 'tenants'}{cut}."
