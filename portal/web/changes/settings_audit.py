"""Owns the settings audit of a tenant: every change of its settings, and of the defaults that acted on it."""

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.settings_log import SettingsChange, acting_changes
from portal.web.frame.visit import Visit
from portal.web.pieces.settings_rows import SettingsRows
from portal.web.pieces.text import Text, heading

PLACE = "settings-audit"
"""Where it stands on its page."""
_FIRST = 20
_AWAY = "The log of settings cannot be read from ClickHouse now: check that it runs, and load this page again."


class SettingsAudit:
    """Who changed which setting, when, from what to what; newest first."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._changes: list[SettingsChange] = []
        heading("Settings audit").props(f"id={PLACE}")
        self._state = Text("p", "Reading …").props('role=status data-testid="settings shown"')
        self._rows = SettingsRows("Settings audit")
        self._all = ui.button("Show all", on_click=self._show_all).props("outline")
        self._all.set_visibility(False)

    async def load(self) -> None:
        """Read and show the newest ones."""
        context = self._here.context
        try:
            found = await context.read(lambda: acting_changes(self._tenant, context.masks_of(self._tenant)))
        except clickhouse.ClickHouseError:
            self._state.set_text(_AWAY)
            self._state.classes(add="over")
            return
        self._changes = found[::-1]
        self._show(self._changes[:_FIRST])

    def _show_all(self) -> None:
        self._show(self._changes)

    def _show(self, shown: list[SettingsChange]) -> None:
        total = len(self._changes)
        cut = f", the newest {len(shown)} are shown" if len(shown) < total else ""
        counted = "1 revision" if total == 1 else f"{total:,} revisions"
        self._state.set_text(f"{counted} changed something{cut}." if total else "Nobody has changed a setting yet.")
        self._all.set_visibility(len(shown) < total)
        self._rows.show(shown)
