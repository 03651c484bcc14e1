"""Owns Refresh Licenses with its progress, facet by facet."""

from nicegui import ui

from portal.problems import Problem
from portal.refreshes import Progress, progress
from portal.web.frame.saving import told
from portal.web.frame.visit import Visit
from portal.web.pieces.text import Text
from portal.web.pieces.words import FACETS
from schemas.commands import Refresh

_LOOK_S = 0.5
_NONE_TO_ASK = (
    "No source of this tenant can be asked: its counts come from imports. They are always up to date with what was"
    " imported; import again, or let Poolwatch read Microsoft Graph (Settings)."
)


def refresh_button(here: Visit, tenant: str) -> None:
    """Offer Refresh Licenses; while one goes on, show how far it is."""
    _Refreshing(here, tenant)


class _Refreshing:
    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._asked: Refresh | None = None
        self._button = ui.button("Refresh Licenses", on_click=self._refresh)
        self._button.set_visibility(here.may_change(tenant))
        self._bar = ui.linear_progress(0, show_value=False).props('aria-label="Refresh"').classes("refresh-bar")
        self._state = Text("span").props("role=status")
        self._bar.set_visibility(False)
        self._timer = ui.timer(_LOOK_S, self._look, active=False)

    async def _refresh(self) -> None:
        with told():
            if not self._here.may_change(self._tenant):
                raise Problem(403, "You may look at this tenant and not change it: ask an administrator.")
            settings = self._here.context.settings_of(self._tenant)
            if settings.graph is None or settings.ms_tenant_id is None:
                self._state.set_text(_NONE_TO_ASK)
                return
            self._asked = await self._here.context.services.refreshes.refresh(self._tenant, self._here.principal.name)
            self._button.disable()
            self._timer.activate()
            self._look()

    def _look(self) -> None:
        if self._asked is None:
            return
        services = self._here.context.services
        try:
            freshness = self._here.context.count_of(self._tenant).freshness
        except Problem as removed:
            self._timer.deactivate()
            self._state.set_text(removed.detail)
            return
        far = progress(self._asked, services.sources.of(self._tenant), freshness)
        self._bar.set_visibility(not far.done)
        self._bar.set_value(_share(far))
        self._state.set_text(_sentence(far))
        if far.done:
            self._timer.deactivate()
            self._button.enable()


def _share(far: Progress) -> float:
    ended = sum(facet.state not in ("waiting", "reading") for facet in far.facets.values())
    return ended / len(far.facets) if far.facets else 0.0


def _sentence(far: Progress) -> str:
    if not far.facets:
        return "Asked; waiting for the collector of this tenant."
    going = [f"{FACETS[name]} ({facet.read:,})" for name, facet in far.facets.items() if facet.state == "reading"]
    wrong = [f"{FACETS[name]}: {facet.reason}" for name, facet in far.facets.items()
             if facet.state in ("held", "failing")]  # fmt: skip
    if far.done:
        return "; ".join(["Refreshed, but for", *wrong]) if wrong else "Refreshed: the count agrees with all sources."
    return f"Reading {', '.join(going)}" if going else "Waiting for the collector."
