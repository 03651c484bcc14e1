"""Owns a form of settings: what is changed and not saved, what is wrong with it, saving on top of the revision that was
seen, and what others changed meanwhile."""

from collections.abc import Callable, Iterable
from typing import Any

from nicegui import ui

from portal.answers.settings_bodies import check_patch, settings_diff
from portal.answers.settings_changes import newer
from portal.problems import Problem
from portal.web.frame.saving import save, told
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.setting_fields import Field, changes_of, show_all
from portal.web.pieces.setting_words import setting_name, setting_value
from portal.web.pieces.text import Text, table, tag
from portal.web.settings.setting_draft import mistakes, patch_of
from schemas.settings import Settings

_LOOK_S = 2.0


class SettingsForm:
    """The settings of a tenant, or the provider's (`name`); `current` gives those that hold now."""

    def __init__(self, here: Visit, name: str, current: Callable[[], Settings], may_change: bool) -> None:
        self._here, self._name, self._current, self._may_change = here, name, current, may_change
        self._seen = current()
        self._fields: list[Field] = []
        self._leaving_warned = False
        with tag("p").classes("line"):
            self._revision = Text("span").props('data-testid="revision"')
            self._updated = LocalTime()
            self._by = Text("span")
        if not may_change:
            Text("p", "You may read these settings; an administrator can change them.").classes("faint")
        self._news = ui.element("section").classes("news").props('role=alert aria-label="Changed meanwhile"')

    def add(self, *fields: Field) -> None:
        """Take in controls."""
        self._fields.extend(fields)

    def begin(self) -> None:
        """Show the values, and the bar that saves them; to be called once all controls are there."""
        with ui.element("div").classes("toolbar save-bar") as bar:
            self._save = ui.button("Save", on_click=self._saved)
            self._undo = ui.button("Undo", on_click=self._undone).props("flat")
            self._state = Text("span").props('role=status data-testid="unsaved"')
        bar.set_visibility(self._may_change)
        self._show(self._fields)
        self._news.set_visibility(False)
        for field in self._fields:
            if not self._may_change:
                field.freeze()
            field.on_change(self._judge)
        self._judge()
        ui.timer(_LOOK_S, self._look)

    def _changes(self) -> dict[str, Any]:
        return changes_of(self._fields, self._seen)

    def _show(self, fields: Iterable[Field]) -> None:
        show_all(fields, self._seen)
        self._revision.set_text(f"Revision {self._seen.revision}" if self._seen.revision else "Never set: defaults")
        self._updated.set_visibility(self._seen.updated_at is not None)
        self._updated.show(self._seen.updated_at)
        self._by.set_text(f"by {self._seen.updated_by}" if self._seen.updated_by else "")

    def _judge(self) -> None:
        """Say what is not saved yet, and what is wrong with it."""
        changes = self._changes()
        wrong: dict[str, str] = {}
        try:
            check_patch(self._name, patch_of(changes))
        except Problem as problem:
            wrong = mistakes(problem)
        self._complain(wrong)
        self._save.set_enabled(bool(changes) and not wrong)
        self._undo.set_enabled(bool(changes))
        names = ", ".join(setting_name(path) for path in changes)
        self._state.set_text(f"Not saved: {names}" if changes else "All is saved")
        if bool(changes) != self._leaving_warned:
            self._leaving_warned = bool(changes)
            ui.run_javascript(f"window.onbeforeunload = {'(e) => e.preventDefault()' if changes else 'null'}")

    def _complain(self, wrong: dict[str, str]) -> None:
        for field in self._fields:
            field.complain(wrong)

    def _undone(self) -> None:
        self._show(self._fields)
        self._news.set_visibility(False)
        self._judge()

    async def _saved(self) -> None:
        with told():
            try:
                saved = await save(self._here, self._name, "patch", patch_of(self._changes()), self._seen.revision)
            except Problem as problem:
                if problem.status == 412:
                    await self._lost()
                    return
                self._complain(mistakes(problem))
                raise
            self._seen = type(self._seen).model_validate(saved)
            self._undone()
            ui.notify("Saved.", type="positive")

    async def _lost(self) -> None:
        """Show what somebody else saved first."""
        if await newer(self._current, self._seen.revision):
            self._look()
            return
        raise Problem(412, "Somebody else saved these settings first. Nothing is lost: save again in a moment.")

    def _look(self) -> bool:
        """Take over what others changed since; what is edited here stays. Returns whether there was something."""
        current = self._current()
        if current.revision <= self._seen.revision:
            return False
        edited = self._changes().keys()
        before, self._seen = self._seen, current
        self._show([field for field in self._fields if field.path not in edited])
        self._tell(before, editing=bool(edited))
        self._judge()
        return True

    def _tell(self, before: Settings, *, editing: bool) -> None:
        changes = settings_diff(before.model_dump(mode="json"), self._seen.model_dump(mode="json"))
        self._news.clear()
        self._news.set_visibility(True)
        with self._news:
            kept = " What you edited is still here; Save puts it on top." if editing else ""
            Text("p", f"{self._seen.updated_by or 'Somebody'} changed these settings meanwhile.{kept}")
            with table("Changed meanwhile", ("Setting", "Was", "Is")):
                for change in changes:
                    with tag("tr"):
                        Text("th", setting_name(change["setting"])).props("scope=row")
                        Text("td", setting_value(change["setting"], change["from"]))
                        Text("td", setting_value(change["setting"], change["to"]))
