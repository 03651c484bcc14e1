"""Owns the result of a what-if: now and then side by side by factor, and who would be gained, lost and moved."""

from collections.abc import Sequence

from nicegui import ui

from portal.answers.what_if import Mover, WhatIf
from portal.web.pieces.figures import NONE, licences
from portal.web.pieces.text import Text, figure_cell, heading, table, tag
from portal.web.pieces.words import short_factor_label
from portal.web.seats.seat_list import seat_address
from schemas.count import Count

_COLUMNS = ("Figure", "Now", "Then", "Difference")
_AT_ONCE = 50
_TITLES = {"gained": "Would be counted", "lost": "Would not be counted any more", "moved": "Would be counted elsewhere"}


class WhatIfResult:
    """The tables beside what is tried."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        heading("Now and then")
        with table("Now and then", _COLUMNS, numbers=_COLUMNS[1:]) as self._figures:
            pass
        self._movers = ui.element("div").classes("column page-part")

    def show(self, found: WhatIf) -> None:
        """Show another result."""
        self._figures.clear()
        with self._figures:
            for name, now, then in compared(found.now, found.then):
                with tag("tr"):
                    Text("th", name).props("scope=row")
                    figure_cell(licences(now))
                    figure_cell(licences(then))
                    changed = now is not None and then is not None and now != then
                    figure_cell(f"{(then or 0) - (now or 0):+,}" if changed else NONE).classes(
                        "strong" if changed else "faint"
                    )
        self._movers.clear()
        with self._movers:
            for kind, title in _TITLES.items():
                total = found.totals[kind]  # type: ignore[index]  # the titles are those of the kinds
                if total:
                    heading(f"{title}: {total:,}", 3)
                    _Movers(self._tenant, title, getattr(found, kind), total)


class _Movers:
    """Subjects of one kind, some at once and more on request: they come by the thousand."""

    def __init__(self, tenant: str, title: str, movers: Sequence[Mover], total: int) -> None:
        self._tenant, self._movers, self._total, self._shown = tenant, movers, total, 0
        with table(title, ("Subject", "Now", "Then")) as self._rows:
            pass
        with tag("div").classes("toolbar"):
            self._more = ui.button("Show more", on_click=self._show_more).props("flat dense")
            self._note = Text("span").classes("faint small")
        self._show_more()

    def _show_more(self) -> None:
        following = self._movers[self._shown : self._shown + _AT_ONCE]
        self._shown += len(following)
        with self._rows:
            for mover in following:
                with tag("tr"):
                    with Text("th").props("scope=row").classes("plain"):
                        ui.link(mover.display_name or mover.subject, seat_address(self._tenant, mover.subject, None))
                    Text("td", short_factor_label(mover.from_factor))
                    Text("td", short_factor_label(mover.to_factor))
        self._more.set_visibility(self._shown < len(self._movers))
        self._note.set_text(f"{self._shown:,} of {self._total:,}" if self._shown < self._total else "")


def compared(now: Count, then: Count) -> list[tuple[str, int | None, int | None]]:
    """Return the figures of two counts side by side: by factor, then in all."""
    rows: list[tuple[str, int | None, int | None]] = [
        (row.label, row.counted, other.counted) for row, other in zip(now.factors, then.factors, strict=True)
    ]
    return [
        *rows,
        ("Currently Licensed", now.currently_licensed, then.currently_licensed),
        ("Acquired Licenses", now.acquired_licenses, then.acquired_licenses),
        ("Available Licenses", now.available_licenses, then.available_licenses),
    ]
