"""Owns what the history page shows and does: it reads a range, keeps its end live, zooms, and gives it away."""

from urllib.parse import urlencode

import clickhouse_connect.driver.exceptions as clickhouse
from nicegui import background_tasks, ui

from portal.answers.csv_lines import MEDIA_TYPE
from portal.answers.exports import history_csv
from portal.answers.history import History, counted, reaching, read_history
from portal.answers.history_summary import summary
from portal.answers.ranges import RangeError, choose_step, parse_range
from portal.answers.settings_log import SettingsChange, acting_changes
from portal.web.frame.visit import Visit, follow
from portal.web.history.figure import HistoryFigure, View, Window
from portal.web.history.figures import HistoryFigures, sentence
from portal.web.pieces.figures import LocalTime
from portal.web.pieces.links import copy_link
from portal.web.pieces.settings_rows import SettingsRows
from portal.web.pieces.text import Text, heading
from portal.web.pieces.time_ranges import AUTO, AskedRange, RangeChoice
from schemas.count import Count
from schemas.times import format_time

_STEPS = {AUTO: "Automatic", "1m": "1 minute", "5m": "5 minutes", "15m": "15 minutes", "1h": "1 hour",
          "6h": "6 hours", "1d": "1 day"}  # fmt: skip
_VIEWS: dict[View, str] = {"total": "Total", "factors": "By factor"}
_AWAY = (
    "History cannot be read from ClickHouse now: check that it runs, then press Get History. The live counts are not"
    " concerned."
)
_EMPTY = "No count is on record in this range: choose another one."
_TICK_S = 0.5
_QUIET_S = 10.0
_MOST_MARKED = 200


class HistoryView:
    """The history of a tenant in a range, and how it is looked at."""

    def __init__(self, here: Visit, tenant: str, asked: AskedRange, view: View) -> None:
        self._here, self._tenant, self._asked, self._view = here, tenant, asked, view
        self._history: History | None = None
        self._is_live = False
        self._window: Window | None = None
        self._news: Count | None = None
        self._revision = -1
        self._questions = 0
        self._make()

    def _make(self) -> None:
        steps = _STEPS | ({} if self._asked.step in _STEPS else {self._asked.step: self._asked.step})
        self._choice = RangeChoice(self._asked, self._get, "Get History", steps)
        with ui.element("div").classes("toolbar"):
            ui.radio(_VIEWS, value=self._view, on_change=lambda event: self._look(event.value)).props(
                'inline dense aria-label="What is drawn"'
            )
            ui.space()
            with ui.element("div").classes("line"):
                self._gifts = [
                    ui.button("CSV", on_click=self._give_csv).props('outline aria-label="Download as CSV"'),
                    ui.button("PNG", on_click=self._give_picture).props('outline aria-label="Download as PNG"'),
                    ui.button("Copy link", on_click=self._give_link).props("outline"),
                ]
        self._state = Text("p", "Reading …").props('role=status data-testid="state"')
        self._demo = ui.element("p").classes("faint")
        with self._demo:
            Text("span", "Made-up demo data, shaded in the chart, up to ")
            self._demo_until = LocalTime()
        self._figures = HistoryFigures()
        self._figure = HistoryFigure(self._view, self._zoomed)
        self._figure.set_visibility(False)
        heading("Settings changed in this range")
        self._unchanged = Text("p", "None.").classes("faint")
        self._unchanged.set_visibility(False)
        self._changes = SettingsRows("Settings changed in this range")

    def live(self) -> None:
        """Keep the end of what is shown live."""
        follow(self._here, self._tenant, self._heard)
        ui.timer(_TICK_S, self._tick)

    async def load(self) -> None:
        """Read what is asked for, and show it."""
        self._questions += 1
        mine, context, self._window = self._questions, self._here.context, None
        self._say("Reading …")
        try:
            now = context.now()
            start, end = parse_range(self._asked.start, self._asked.end or None, now)
            found = await context.read(
                lambda: read_history(context.services.store, self._tenant, start, end, self._asked.step)
            )
            changes = await context.read(lambda: acting_changes(self._tenant, context.masks_of(self._tenant)))
        except RangeError as error:
            self._fail(f"This range cannot be shown: {error}.")
            return
        except clickhouse.ClickHouseError:
            if mine == self._questions:
                self._fail(_AWAY)
            return
        # An answer to an older question must not replace that to a newer one.
        if mine == self._questions:
            self._is_live = end == now
            self._show(found, changes)

    def _show(self, found: History, changes: list[SettingsChange]) -> None:
        count = self._here.context.count_of(self._tenant)
        if self._is_live and count.version:
            found = counted(found, count, slides=self._asked.slides)
        self._history, self._revision = found, count.settings_revision
        self._choice.show(self._asked, found.start, found.end)
        self._figure.show(found, self._sum_up(found))
        self._figure.set_visibility(bool(found.buckets))
        for gift in self._gifts:
            gift.set_enabled(bool(found.buckets))
        self._mark(found, changes)

    def _fail(self, text: str) -> None:
        """Say why there is nothing to show; what was shown before was of another range."""
        self._say(text, wrong=True)
        self._history = None
        self._figures.show(None)
        self._demo.set_visibility(False)
        self._figure.set_visibility(False)
        self._unchanged.set_visibility(False)
        self._changes.show([])
        for gift in self._gifts:
            gift.set_enabled(False)

    def _sum_up(self, history: History) -> str:
        found = summary(history)
        self._figures.show(found)
        self._say("" if found else _EMPTY)
        self._demo.set_visibility(history.demo_until is not None)
        self._demo_until.show(history.demo_until)
        return sentence(self._name, history.start, history.end, found)

    def _mark(self, history: History, changes: list[SettingsChange]) -> None:
        within = [change for change in changes if history.start <= change.at <= history.end][-_MOST_MARKED:]
        self._figure.mark_changes(within)
        self._unchanged.set_visibility(not within)
        self._changes.show(within[::-1])

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self._state.set_text(text)
        self._state.set_visibility(bool(text))
        self._state.classes(add="over" if wrong else "", remove="" if wrong else "over")

    @property
    def _name(self) -> str:
        return self._here.context.settings_of(self._tenant).display_name or self._tenant

    def _heard(self, count: Count) -> None:
        self._news = count

    async def _tick(self) -> None:
        history, now = self._history, self._here.context.now()
        if history is None or not self._is_live:
            return
        count, self._news = self._news, None
        if count is None and (now - history.end).total_seconds() < _QUIET_S:
            return
        slides = self._asked.slides
        grown = reaching(counted(history, count, slides=slides) if count else history, now, slides=slides)
        if not grown.buckets:
            return
        self._history = grown
        if not history.buckets:
            self._figure.set_visibility(True)
        since = history.buckets[-1].at if history.buckets else grown.buckets[-1].at
        self._figure.go_on(grown, since, self._sum_up(grown))
        if count and count.settings_revision != self._revision:
            self._revision = count.settings_revision
            background_tasks.create(self._mark_anew(), name="history-markers")

    async def _mark_anew(self) -> None:
        context = self._here.context
        try:
            changes = await context.read(lambda: acting_changes(self._tenant, context.masks_of(self._tenant)))
        except clickhouse.ClickHouseError:
            self._say(_AWAY, wrong=True)
            return
        if self._history is not None:
            self._mark(self._history, changes)

    async def _get(self, asked: AskedRange) -> None:
        self._asked = asked
        self._remember()
        await self.load()

    def _look(self, view: View) -> None:
        self._view = view
        self._figure.show_view(view)
        self._remember()

    def _remember(self) -> None:
        ui.navigate.history.replace(self._address(self._asked))

    def _address(self, asked: AskedRange) -> str:
        query = asked.query() | ({"view": self._view} if self._view != "total" else {})
        return f"/tenants/{self._tenant}/history?{urlencode(query)}"

    async def _zoomed(self, window: Window | None) -> None:
        """Fetch finer points where the window has room for them."""
        self._window, history, context = window, self._history, self._here.context
        if window is None or history is None or self._asked.step != AUTO:
            return
        start, end = max(window[0], history.start), min(window[1], history.end)
        if start >= end or choose_step(AUTO, start, end) >= history.step_s:
            return
        try:
            finer = await context.read(lambda: read_history(context.services.store, self._tenant, start, end, AUTO))
        except clickhouse.ClickHouseError:
            self._say(_AWAY, wrong=True)
            return
        if window == self._window and finer.buckets:
            self._figure.refine((start, end), finer)

    async def _give_csv(self) -> None:
        history, context = self._history, self._here.context
        if history is None:
            return
        step = str(history.step_s)
        try:
            found = await context.read(
                lambda: read_history(context.services.store, self._tenant, history.start, history.end, step)
            )
        except clickhouse.ClickHouseError:
            self._say(_AWAY, wrong=True)
            return
        ui.download.content(history_csv(found), f"{self._tenant}-licenses.csv", MEDIA_TYPE)

    def _give_picture(self) -> None:
        self._figure.save_picture(f"Licenses of {self._name}", f"{self._tenant}-licenses.png")

    async def _give_link(self) -> None:
        if self._history is None:
            return
        start, end = self._window or (self._history.start, self._history.end)
        path = self._address(AskedRange(format_time(start), format_time(end), self._asked.step))
        await copy_link(path)
