"""Owns the forecast below a history: what it says in sentences, and the days to come as a line in its band."""

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import ui

from portal.answers.forecast import Foreseen, foresee
from portal.web.frame.visit import Visit
from portal.web.pieces.text import Text, heading

_WIDTH, _HEIGHT, _EDGE = 600, 150, 4
_LEGEND = (("expected", "line"), ("80 % of days lie here", "band"))


class ForecastSection:
    """When the pool runs out. It is read after the page has been shown."""

    def __init__(self, here: Visit, tenant: str) -> None:
        self._here, self._tenant = here, tenant
        heading("Forecast")
        self._said = Text("p", "Reading …").props('role=status data-testid="forecast"')
        self._why = Text("p").classes("faint")
        self._place = ui.element("div").classes("history")

    async def load(self) -> None:
        """Read the history of a year, and say what it comes to."""
        context = self._here.context
        count, now = context.count_of(self._tenant), context.now()
        licensed, acquired = count.currently_licensed, count.acquired_licenses
        store = context.services.store
        try:
            found = await context.read(lambda: foresee(store, self._tenant, now, licensed, acquired))
        except clickhouse.ClickHouseError:
            self._said.set_text("History cannot be read from ClickHouse now, and without it nothing can be foreseen.")
            return
        self._said.set_text(found.sentences[0])
        self._why.set_text(" ".join(found.sentences[1:]))
        if found.forecast.curve:
            with self._place:
                _draw(found)


def _draw(found: Foreseen) -> None:
    curve, pool = found.forecast.curve, found.forecast.acquired_licenses
    pools = [] if pool is None else [float(pool)]
    least = min([*(day.low for day in curve), *pools])
    most = max([*(day.high for day in curve), *pools])
    step, scale = _WIDTH / (len(curve) - 1), (_HEIGHT - 2 * _EDGE) / ((most - least) or 1)

    def points(values: list[float]) -> list[str]:
        return [f"{n * step:.1f},{_height(value):.1f}" for n, value in enumerate(values)]

    def _height(value: float) -> float:
        return _HEIGHT - _EDGE - (value - least) * scale

    _legend(pool)
    words = (
        f"{curve[0].at:%Y-%m-%d} to {curve[-1].at:%Y-%m-%d}: {curve[0].expected:,.0f} to {curve[-1].expected:,.0f}"
        f" expected, at the end between {curve[-1].low:,.0f} and {curve[-1].high:,.0f}"
    )
    picture = ui.element("svg").classes("foreseen")
    picture.props(f'viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio=none role=img aria-label="Forecast, {words}"')
    with picture:
        around = [*points([day.high for day in curve]), *points([day.low for day in curve])[::-1]]
        ui.element("polygon").props(f'points="{" ".join(around)}"').classes("band")
        ui.element("polyline").props(f'points="{" ".join(points([day.expected for day in curve]))}"')
        if pool is not None:
            at = f"{_height(pool):.1f}"
            ui.element("line").props(f"x1=0 x2={_WIDTH} y1={at} y2={at}").classes("pool")
    Text("p", f"{words}.").classes("small faint")


def _legend(pool: int | None) -> None:
    shapes = [*_LEGEND, *([] if pool is None else [(f"pool of {pool:,}", "dashes")])]
    with ui.element("ul").classes("legend").props('aria-label="What the forecast shows"'):
        for name, shape in shapes:
            with ui.element("li").classes("foreseen-key" if shape != "dashes" else ""):
                ui.element("span").classes(f"swatch {shape}").props("aria-hidden=true")
                Text("span", name)
