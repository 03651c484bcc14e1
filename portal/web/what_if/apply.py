"""Owns the confirmation of a what-if: the difference once more, then the change on top of what was seen."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from portal.answers.settings_bodies import settings_diff
from portal.answers.settings_changes import newer
from portal.answers.tried_settings import tried_settings
from portal.answers.what_if import WhatIf
from portal.problems import Problem
from portal.web.frame.saving import save, told
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import licences
from portal.web.pieces.setting_words import setting_name, setting_value
from portal.web.pieces.text import Text, heading, table, tag
from portal.web.pieces.words import totals_words
from schemas.settings import TenantSettings


class ApplyDialog:
    """What would be applied; `applied` is called with the settings that were saved, None where somebody was first."""

    def __init__(self, here: Visit, tenant: str, applied: Callable[[TenantSettings | None], Awaitable[None]]) -> None:
        self._here, self._tenant, self._applied = here, tenant, applied
        self._patch: dict[str, Any] = {}
        self._revision = 0
        self._dialog = ui.dialog().props('aria-label="Apply what was tried"')
        with self._dialog, ui.card():
            self._difference = ui.element("div").classes("column page-part")
            with tag("div").classes("toolbar"):
                ui.button("Apply", on_click=self._apply)
                ui.button("Not yet", on_click=self._dialog.close).props("flat")

    def open(self) -> None:
        """Ask."""
        self._dialog.open()

    def offer(self, found: WhatIf, seen: TenantSettings, patch: dict[str, Any]) -> None:
        """Take what is asked for next: a change of the settings that were seen, and what it would count."""
        self._patch, self._revision = patch, seen.revision
        then = tried_settings(seen, patch)
        self._difference.clear()
        with self._difference:
            heading(f"{licences(found.now.currently_licensed)} now, {licences(found.then.currently_licensed)} then")
            totals = totals_words(found.totals)
            Text("p", f"Subjects: {totals}." if totals else "Nobody and nothing would be counted otherwise.")
            with table("What is applied", ("Setting", "Is", "Will be")):
                for change in settings_diff(seen.model_dump(mode="json"), then.model_dump(mode="json")):
                    with tag("tr"):
                        Text("th", setting_name(change["setting"])).props("scope=row")
                        Text("td", setting_value(change["setting"], change["from"]))
                        Text("td", setting_value(change["setting"], change["to"]))

    async def _apply(self) -> None:
        self._dialog.close()
        with told():
            try:
                saved = await save(self._here, self._tenant, "patch", self._patch, self._revision)
            except Problem as problem:
                if problem.status != 412:
                    raise
                await newer(lambda: self._here.context.settings_of(self._tenant), self._revision)
                await self._applied(None)
                raise Problem(
                    412, "Somebody else changed these settings first. This is calculated on top of theirs now: look"
                    " at the difference again, then apply it."
                ) from problem  # fmt: skip
            await self._applied(TenantSettings.model_validate(saved))
            ui.notify("Applied.", type="positive")
