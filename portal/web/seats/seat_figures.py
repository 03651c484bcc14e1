"""Owns the number of subjects by factor on top of the seats, and the choice of one: each figure is a button."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui
from nicegui.element import Element

from licensing.count import figures
from licensing.factors import FACTORS
from portal.answers.seats import FILTERS
from portal.web.frame.visit import Visit
from portal.web.pieces.figures import NONE, LiveNumber, licences
from portal.web.pieces.text import Text
from portal.web.pieces.words import short_factor_label
from schemas.count import Count, FactorCount

_NAMES: dict[str, str] = {
    "counted": "Currently Licensed",
    **{factor.name: short_factor_label(factor.name) for factor in FACTORS},
    "none": "Known, not counted",
    "all": "All that are known",
}


class SeatFigures:
    """A button a filter; `picked` is called with its name. While an instant is shown, live counts change nothing."""

    def __init__(self, here: Visit, tenant: str, chosen: str, picked: Callable[[str], Awaitable[None]]) -> None:
        self._here, self._tenant = here, tenant
        self._at: datetime | None = None
        self._buttons: dict[str, Element] = {}
        self._numbers: dict[str, LiveNumber] = {}
        with ui.element("div").classes("picks").props('role=group aria-label="Which subjects"'):
            for name in FILTERS:
                with ui.element("button").props("type=button").classes("pick") as button:
                    Text("span", _NAMES[name])
                    if name not in ("none", "all"):
                        self._numbers[name] = LiveNumber().props(f'data-testid="seats {name}"')
                self._buttons[name] = button.on("click", partial(picked, name), [])
        self.pick(chosen)

    def pick(self, chosen: str) -> None:
        """Mark the filter that is shown."""
        for name, button in self._buttons.items():
            button.props(f"aria-pressed={'true' if name == chosen else 'false'}")

    def show(self, count: Count) -> None:
        """Show a newer count."""
        if self._at is None:
            self._show(count.currently_licensed, count.factors)

    async def load(self, at: datetime | None) -> None:
        """Show the figures of an instant, None = now."""
        self._at = at
        if at is None:
            self.show(self._here.context.count_of(self._tenant))
            return
        context = self._here.context
        try:
            then = await context.read(
                lambda: figures(
                    context.services.store.tally(self._tenant, at), context.masks_of(self._tenant).at(at)[1], None
                )
            )
        except clickhouse.ClickHouseError:
            # The list below says what is the matter.
            for number in self._numbers.values():
                number.show(NONE)
            return
        self._show(then.currently_licensed, then.factors)

    def _show(self, total: int, factors: list[FactorCount]) -> None:
        self._numbers["counted"].show(licences(total))
        for row in factors:
            self._numbers[row.factor].show(licences(row.counted))
