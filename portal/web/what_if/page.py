"""Owns the what-if page: other settings are tried, nothing is changed before the difference was seen and confirmed."""

from collections.abc import Sequence
from typing import Any

import clickhouse_connect.driver.exceptions as clickhouse
from fastapi import Request
from nicegui import ui

from licensing.criteria import PatternError
from portal.answers.tried_settings import tried_settings
from portal.answers.what_if import WhatIf, what_if
from portal.problems import Problem
from portal.web.frame import shell
from portal.web.frame.arriving import soon
from portal.web.frame.visit import Visit, follow, visit_of
from portal.web.pieces.setting_fields import (
    OneField,
    changes_of,
    choice_field,
    lines_field,
    number_field,
    show_all,
    switch_field,
    text_field,
)
from portal.web.pieces.setting_words import CRITERIA_DEFAULTS, SERVICE_TYPES
from portal.web.pieces.text import Text, heading, tag
from portal.web.settings.setting_draft import mistakes, patch_of
from portal.web.what_if.apply import ApplyDialog
from portal.web.what_if.hits import CriterionHits
from portal.web.what_if.result import WhatIfResult
from schemas.count import Count
from schemas.settings import TenantSettings

_AWAY = (
    "This cannot be calculated now, for ClickHouse cannot be read: check that it runs, then calculate again. Nothing"
    " was changed."
)


@ui.page("/tenants/{tenant}/what-if")
async def what_if_page(request: Request, tenant: str) -> None:
    """What-if."""
    here = visit_of(request, tenant)
    with shell.tenant_page(here, tenant, "What-if"):
        Text("p", "Try other settings and see what they would count. Nothing changes until you apply it.").classes(
            "faint"
        )
        tried = _Tried(here, tenant)
        await soon(tried.calculate())
        follow(here, tenant, tried.moved)


class _Tried:
    """What is tried, and what it would count."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        self._seen = here.context.settings_of(tenant)
        self._asked, self._version = 0, 0
        self._patch: dict[str, Any] = {}
        with tag("div").classes("what-if"):
            with tag("section").classes("column page-part").props('aria-label="What is tried"'):
                self._build()
            with tag("section").classes("column page-part").props('aria-label="What it would count"'):
                self._state = Text("p").props('role=status data-testid="what-if state"')
                with tag("div").classes("toolbar"):
                    self._apply = ui.button("Apply …", on_click=self._confirm)
                    self._again = ui.button("The count has moved: calculate again", on_click=self.calculate)
                    self._again.props("flat")
                self._apply.set_visibility(here.may_change(tenant))
                self._result = WhatIfResult(tenant)
        self._dialog = ApplyDialog(here, tenant, self._applied)
        show_all(self._fields, self._seen)
        for field in self._fields:
            field.on_change(self.calculate)

    def _build(self) -> None:
        provider = self._here.context.services.live.provider()
        heading("License factors")
        with tag("div").classes("settings"):
            self._switches = [
                switch_field(f"factors.{name}", default=on is not False)
                for name, on in provider.factors.model_dump().items()
            ]
        heading("Criteria")
        self._criteria: list[OneField] = []
        self._hits: dict[str, CriterionHits] = {}
        for name, default in CRITERIA_DEFAULTS.items():
            with tag("div"):
                field = text_field(f"criteria.{name}", f"RE2; empty = the default: {default}")
                field.control.props("debounce=300 input-class=pattern")
                self._criteria.append(field)
                self._hits[name] = CriterionHits(name)
        with tag("div"):
            ui.button("Restore provider defaults", on_click=self._restore).props("flat dense")
        heading("Pool and gateways")
        with tag("div").classes("settings"):
            others = [
                number_field("acquired_licenses", "Empty = not known"),
                choice_field("service_type", SERVICE_TYPES),
                lines_field("gateways", "Host names, one a line"),
            ]
            for field in (others[0], others[2]):
                field.control.props("debounce=300")
        self._fields: Sequence[OneField] = [*self._switches, *self._criteria, *others]

    async def _restore(self) -> None:
        for field in (*self._switches, *self._criteria):
            field.show(None)
        await self.calculate()

    def moved(self, count: Count) -> None:
        """Offer to calculate again once the count has moved."""
        self._again.set_visibility(count.version > self._version)

    async def calculate(self) -> None:
        """Calculate what is tried and show it."""
        self._asked += 1
        mine = self._asked
        self._take_over()
        patch = patch_of(changes_of(self._fields, self._seen))
        self._apply.set_enabled(False)
        self._state.classes(remove="over")
        try:
            then = tried_settings(self._seen, patch)
            self._complain({})
            self._state.set_text("Calculating …")
            found = await self._read(then)
        except Problem as problem:
            self._complain(mistakes(problem))
            self._state.set_text("What is tried cannot be: see the message at the setting.")
            return
        except (clickhouse.ClickHouseError, PatternError) as error:
            if mine == self._asked:
                self._state.set_text(_AWAY if isinstance(error, clickhouse.ClickHouseError) else str(error))
                self._state.classes(add="over")
            return
        # An answer to what was tried before must not replace that to what is tried now.
        if mine == self._asked:
            self._patch = patch
            self._show(found)

    async def _read(self, then: TenantSettings) -> WhatIf:
        context, seen = self._here.context, self._seen
        live = context.count_of(self._tenant)
        self._version = live.version
        self._again.set_visibility(False)
        services = context.services
        return await context.read(
            lambda: what_if(services.store, live, seen, then, services.live.provider(), context.now())
        )

    def _take_over(self) -> None:
        """What others changed since is where this begins; what is tried here stays."""
        current = self._here.context.settings_of(self._tenant)
        if current.revision > self._seen.revision:
            tried = changes_of(self._fields, self._seen).keys()
            self._seen = current
            show_all([field for field in self._fields if field.path not in tried], current)

    def _complain(self, wrong: dict[str, str]) -> None:
        for field in self._fields:
            field.complain(wrong)

    def _show(self, found: WhatIf) -> None:
        self._state.set_text("" if self._patch else "Nothing is tried yet: change a setting.")
        self._apply.set_enabled(bool(self._patch))
        self._result.show(found)
        for name, hits in self._hits.items():
            hits.show(getattr(found.criteria_hits, name))
        self._dialog.offer(found, self._seen, self._patch)

    def _confirm(self) -> None:
        self._dialog.open()

    async def _applied(self, saved: TenantSettings | None) -> None:
        """Begin anew from what was saved; None where somebody else was first."""
        if saved is not None:
            self._seen = saved
            show_all(self._fields, saved)
        await self.calculate()
