"""Owns the table of how fresh each facet of a tenant is, and how the source beside it is doing."""

import contextlib

from nicegui import ui

from portal.problems import Problem
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, figure_cell, heading, table, tag
from portal.web.pieces.words import FACETS, READINGS
from schemas.count import Count
from schemas.sources import SourceState

_COLUMNS = ("Facet", "Agreed with its source at", "Source", "State", "Entries")


class Freshness:
    """A row a facet."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._shown: object = None
        heading("Sources")
        with table("Sources", _COLUMNS, numbers=("Entries",)) as self._rows:
            pass
        self._empty = Text("p", "No source has told of this tenant yet: import its exports, or let Microsoft Graph be"
                                " read (Settings).").classes("faint")  # fmt: skip
        ui.timer(2.0, self._look_again)

    def show(self, count: Count) -> None:
        """Show the freshness of a newer count."""
        states = {facet: state for state in self._here.context.services.sources.of(self._tenant)
                  for facet in state.facets}  # fmt: skip
        news = (count.freshness, states)
        if news == self._shown:
            return
        self._shown = news
        facets = [facet for facet in FACETS if facet in count.freshness or facet in states]
        self._empty.set_visibility(not facets)
        self._rows.clear()
        with self._rows:
            for facet in facets:
                with tag("tr"):
                    Text("th", FACETS[facet]).props("scope=row")
                    with tag("td"):
                        LocalTime(count.freshness.get(facet), "never asked")
                    _source_cells(states.get(facet))

    def _look_again(self) -> None:
        # A source that begins to read, or fails, moves no count.
        with contextlib.suppress(Problem):  # the tenant may have been removed since: what was shown stays
            self.show(self._here.context.count_of(self._tenant))


def _source_cells(state: SourceState | None) -> None:
    if state is None:
        Text("td", "imports and HTTP").classes("faint")
        Text("td")
        figure_cell()
        return
    Text("td", state.source)
    with tag("td"):
        Text("span", READINGS[state.state]).classes("" if state.state in ("ok", "reading") else "over")
        if state.reason:
            Text("div", state.reason).classes("faint")
    figure_cell(f"{state.read:,}")
