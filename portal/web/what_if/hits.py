"""Owns the list of what a criterion hits, below its pattern: each gateway or tag there is, now and then."""

from collections.abc import Sequence

from nicegui import ui

from portal.answers.what_if import Hit
from portal.web.pieces.setting_words import SETTINGS
from portal.web.pieces.text import Text, figure_cell, table, tag

_COLUMNS = ("Value", "Subjects", "Now", "Then")


class CriterionHits:
    """A list that folds out."""

    def __init__(self, name: str) -> None:
        # Where there is no criterion, every gateway will do, and no tag is rejected.
        self._without = name == "licensed_users_by_gateway"
        with ui.element("details").classes("hits"):
            self._summary = Text("summary")
            with table(f"Hits of {SETTINGS[f'criteria.{name}']}", _COLUMNS, numbers=("Subjects",)) as self._rows:
                pass

    def show(self, hits: Sequence[Hit]) -> None:
        """Show another result; what would change comes first."""
        changed = sum(map(self._is_judged_otherwise, hits))
        self._summary.set_text(
            f"{sum(bool(hit.then) for hit in hits):,} of {len(hits):,} values hit"
            + (f"; {changed:,} of them would be judged otherwise" if changed else "")
            if hits
            else "There is no value to try it against"
        )
        self._rows.clear()
        with self._rows:
            for hit in sorted(hits, key=self._is_judged_otherwise, reverse=True):
                with tag("tr").classes("chosen" if self._is_judged_otherwise(hit) else ""):
                    Text("th", hit.value).props("scope=row").classes("plain")
                    figure_cell(f"{hit.subjects:,}")
                    Text("td", _word(hit.now))
                    Text("td", _word(hit.then))

    def _is_judged_otherwise(self, hit: Hit) -> bool:
        now, then = (self._without if hits is None else hits for hits in (hit.now, hit.then))
        return now != then


def _word(hits: bool | None) -> str:
    return "not tried" if hits is None else "hit" if hits else "no hit"
