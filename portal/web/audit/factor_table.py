"""Owns the five Managed rows of the License Audit, and the License Factors check boxes with Apply."""

from typing import cast

from nicegui import ui

from licensing.count import figures
from licensing.factors import BY_NAME, FACTORS, enabled_mask
from portal.web.frame.saving import save, told
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import LiveNumber, licences
from portal.web.pieces.text import Text, figure_cell, heading, table, tag
from schemas.count import Count
from schemas.settings import Factors, OptionalFactor

_COLUMNS = ("Factor", "Counted (matched)", "Running total", "License Factors")


class FactorTable:
    """Rows `n1 (n2)` or `(n/a)`, and a check box for each factor that can be switched.

    What is ticked differently from what holds is a draft: the page says what it would count, and Apply makes it so.
    """

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._displays: dict[str, LiveNumber] = {}
        self._totals: dict[str, LiveNumber] = {}
        self._boxes: dict[OptionalFactor, ui.checkbox] = {}
        self._drafts: dict[OptionalFactor, bool] = {}
        heading("License factors")
        with table("License factors", _COLUMNS, numbers=_COLUMNS[1:3]):
            for factor in FACTORS:
                with tag("tr"):
                    Text("th", factor.label).props("scope=row")
                    with figure_cell():
                        self._displays[factor.name] = LiveNumber().props(f'data-testid="{factor.label}"')
                    with figure_cell():
                        self._totals[factor.name] = LiveNumber()
                    with tag("td"):
                        self._switch(factor.name, factor.label, factor.optional)
        with ui.element("div").classes("toolbar"):
            self._apply = ui.button("Apply", on_click=self._applied)
            self._undo = ui.button("Undo", on_click=self._undone).props("flat")
            self._restore = ui.button("Restore provider defaults", on_click=self._restored).props("flat")
            self._preview = Text("span").props("role=status")

    def _switch(self, name: str, label: str, optional: bool) -> None:
        if not optional:
            Text("span", "always counted").classes("faint")
            return
        known = cast(OptionalFactor, name)
        box = ui.checkbox(on_change=lambda event: self._ticked(known, bool(event.value)))
        self._boxes[known] = box.props(f'aria-label="{label}"')

    def show(self, count: Count) -> None:
        """Show a newer count; drafts stay."""
        for row in count.factors:
            self._displays[row.factor].show(row.display)
            self._totals[row.factor].show(licences(row.cumulative))
        self._show_boxes()

    def _enabled(self) -> dict[OptionalFactor, bool]:
        mask = self._here.context.mask_of(self._tenant)
        return {cast(OptionalFactor, one.name): bool(mask & one.bit) for one in FACTORS if one.optional}

    def _show_boxes(self) -> None:
        may, enabled = self._here.may_change(self._tenant), self._enabled()
        self._drafts = {name: to for name, to in self._drafts.items() if enabled[name] != to}
        for name, box in self._boxes.items():
            wanted = self._drafts.get(name, enabled[name])
            if box.value != wanted:
                box.value = wanted
            box.set_enabled(may and self._exists(name))
        overrides = self._here.context.settings_of(self._tenant).factors != Factors()
        self._restore.set_visibility(may and overrides)
        self._apply.set_visibility(may)
        self._apply.set_enabled(bool(self._drafts))
        self._undo.set_visibility(bool(self._drafts))
        self._preview.set_text(self._would_count() if self._drafts else "")

    def _exists(self, name: OptionalFactor) -> bool:
        """Whether the tenant's service type has the factor at all."""
        settings = self._here.context.settings_of(self._tenant)
        return bool(enabled_mask(settings.model_copy(update={"factors": Factors(**{name: True})})) & BY_NAME[name].bit)

    def _would_count(self) -> str:
        settings = self._here.context.settings_of(self._tenant)
        drafts: dict[str, bool] = {str(name): to for name, to in self._drafts.items()}
        drafted = settings.model_copy(update={"factors": settings.factors.model_copy(update=drafts)})
        mask = enabled_mask(drafted, self._here.context.services.live.provider())
        count = self._here.context.count_of(self._tenant)
        tally = {int(profile): subjects for profile, subjects in count.profiles.items()}
        then = figures(tally, mask, count.acquired_licenses)
        change = then.currently_licensed - count.currently_licensed
        return f"Apply would count {then.currently_licensed:,} ({change:+,})."

    def _ticked(self, name: OptionalFactor, value: bool) -> None:
        if value == self._enabled()[name]:
            self._drafts.pop(name, None)
        else:
            self._drafts[name] = value
        with told():
            self._show_boxes()

    def _undone(self) -> None:
        self._drafts = {}
        self._show_boxes()

    async def _applied(self) -> None:
        await self._save({"factors": dict(self._drafts)})

    async def _restored(self) -> None:
        await self._save({"factors": dict.fromkeys(self._boxes)})

    async def _save(self, body: dict[str, object]) -> None:
        with told():
            await save(self._here, self._tenant, "patch", body, None)
            self._drafts = {}
            self._show_boxes()
