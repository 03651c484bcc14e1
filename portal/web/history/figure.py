"""Owns the chart of a history with the table of its points: what of a history is sent to the browser, which draws."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from nicegui.element import Element
from nicegui.elements import echart  # noqa: F401 -- brings ECharts, which ours draws with
from nicegui.events import GenericEventArguments

from licensing.factors import FACTORS
from portal.answers.history import History
from portal.answers.settings_log import SettingsChange
from portal.ports import Bucket
from portal.web.pieces.settings_sentences import changes_sentence, who
from portal.web.pieces.words import short_factor_label
from schemas.times import from_ms, to_ms

View = Literal["total", "factors"]
Window = tuple[datetime, datetime]
_MOST_SAID = 3


class HistoryFigure(Element, component="figure.js", esm={"poolwatch-history": "chart"}):
    """The figure. `zoomed` is called with the window that is looked at, None for the whole range."""

    def __init__(self, view: View, zoomed: Callable[[Window | None], Awaitable[None]]) -> None:
        super().__init__()
        self._props["factors"] = [short_factor_label(factor.name) for factor in FACTORS]
        self._props["view"] = view
        self._props["markers"] = []
        self._props["reading"] = 0
        self._props["rows"] = []
        self._props["from"] = self._props["to"] = 0

        def tell(event: GenericEventArguments) -> Awaitable[None]:
            return zoomed((from_ms(int(event.args[0])), from_ms(int(event.args[1]))) if event.args else None)

        self.on("zoomed", tell)

    def show(self, history: History, label: str) -> None:
        """Show another history. `label`: what it says, for those who do not see it."""
        self._keep(history, label)
        self._props["reading"] += 1
        self.update()

    def _keep(self, history: History, label: str) -> None:
        self._props["rows"] = rows(history.buckets)
        self._props["from"], self._props["to"] = to_ms(history.start), to_ms(history.end)
        demo = history.demo_until
        self._props["demo-until"] = to_ms(demo) + history.step_s * 1_000 if demo else None
        self._props["label"] = label

    def show_view(self, view: View) -> None:
        """Show the total, or what each factor adds to it."""
        self._props["view"] = view
        self.update()

    def mark_changes(self, changes: Sequence[SettingsChange]) -> None:
        """Mark where settings changed."""
        self._props["markers"] = [
            {"at": to_ms(change.at), "text": f"{who(change)}: {changes_sentence(change.changes, _MOST_SAID)}"}
            for change in changes
        ]
        self.update()

    def refine(self, window: Window, finer: History) -> None:
        """Show finer points within a window."""
        self.run_method("refine", to_ms(window[0]), to_ms(window[1]), rows(finer.buckets))

    def go_on(self, history: History, since: datetime, label: str) -> None:
        """Show what a history has become from a bucket on; the browser has the rest of it."""
        with self._props.suspend_updates():
            self._keep(history, label)
        newer = [bucket for bucket in history.buckets if bucket.at >= since]
        self.run_method("goOn", rows(newer), to_ms(history.start), to_ms(history.end), label)

    def save_picture(self, title: str, name: str) -> None:
        """Let the browser save what it shows as a PNG."""
        self.run_method("picture", title, name)


def rows(buckets: Sequence[Bucket]) -> tuple[tuple[Any, ...], ...]:
    """Return buckets as the figure reads them: at, min, max, last, pool, demo, and counted by factor.

    Tuples, because NiceGUI watches every list for changes.
    """
    return tuple(_row(bucket) for bucket in buckets)


def _row(bucket: Bucket) -> tuple[Any, ...]:
    factors = (bucket.factors.get(factor.name, {}).get("counted", 0) for factor in FACTORS)
    pool = bucket.acquired_licenses
    return (to_ms(bucket.at), bucket.min, bucket.max, bucket.last, pool, bucket.demo, *factors)
