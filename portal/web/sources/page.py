"""Owns the page of sources: syncs that wait for a person, and how every source is doing."""

from collections.abc import Iterator

from fastapi import Request
from nicegui import ui

from portal.web.frame import shell
from portal.web.frame.visit import Visit, visit
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, figure_cell, heading, table, tag
from portal.web.pieces.words import FACETS, READINGS
from portal.web.sources.held_syncs import HeldSyncs
from schemas.sources import SourceState

_COLUMNS = ("Tenant", "Source", "Tells of", "State", "Since", "Entries", "Last full reading")
_MOST_SHOWN = 200
_LOOK_S = 2.0


@ui.page("/sync")
async def sync(request: Request) -> None:
    """Sources."""
    here = visit(request)
    here.require_ready()
    with shell.page(here, "Sources"):
        held = HeldSyncs(here)
        await held.load()
        states = _States(here)
        states.show()
        ui.timer(_LOOK_S, states.show)


class _States:
    """The states of all sources that the visitor may see; those in trouble first."""

    def __init__(self, here: Visit) -> None:
        self._here = here
        self._shown: list[SourceState] | None = None
        self._all = False
        heading("How the sources are doing")
        ui.checkbox("Show also those that are well", on_change=lambda event: self._widen(bool(event.value)))
        self._summary = Text("p").props("role=status")
        with table("Sources", _COLUMNS, numbers=("Entries",)) as self._rows:
            pass

    def _widen(self, value: bool) -> None:
        self._all = value
        self.show()

    def show(self) -> None:
        """Show what has changed since."""
        known = list(self._known())
        troubled = [state for state in known if state.state in ("held", "failing")]
        wanted = (troubled + [state for state in known if state not in troubled]) if self._all else troubled
        if wanted == self._shown:
            return
        self._shown = wanted
        self._summary.set_text(_summary(len(known), len(troubled), len(wanted)))
        self._rows.clear()
        with self._rows:
            for state in wanted[:_MOST_SHOWN]:
                _row(state)

    def _known(self) -> Iterator[SourceState]:
        services = self._here.context.services
        for tenant in sorted(services.live.counts().keys() | services.live.all_settings().keys()):
            if self._here.principal.sees(tenant):
                yield from services.sources.of(tenant)


def _summary(known: int, troubled: int, wanted: int) -> str:
    if not known:
        return "No collector has told of a source yet: counts come from imports and HTTP alone."
    cut = f" The first {_MOST_SHOWN} are shown." if wanted > _MOST_SHOWN else ""
    return f"{known - troubled:,} of {known:,} are well, {troubled:,} held or failing.{cut}"


def _row(state: SourceState) -> None:
    with tag("tr"):
        with tag("th").props("scope=row"):
            ui.link(state.tenant, f"/tenants/{state.tenant}")
        Text("td", f"{state.source}, {state.part}")
        Text("td", ", ".join(FACETS[facet] for facet in state.facets) or "no facet")
        with tag("td"):
            Text("span", READINGS[state.state]).classes("over" if state.state in ("held", "failing") else "")
            if state.reason:
                Text("div", state.reason).classes("small faint")
        with tag("td"):
            LocalTime(state.since)
        figure_cell(f"{state.read:,}")
        with tag("td"):
            LocalTime(state.full_at)
