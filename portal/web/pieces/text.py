"""Owns elements that are nothing but text in an HTML tag, so that headings, cells and lists are what they say."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement


class Text(TextElement):
    """A tag with text in it; the text is never taken for HTML."""

    def __init__(self, tag: str, text: str = "") -> None:
        super().__init__(tag=tag, text=text)


def heading(text: str, level: int = 2) -> Text:
    """Head a section."""
    return Text(f"h{level}", text)


@contextmanager
def table(label: str, columns: Sequence[str], numbers: Sequence[str] = ()) -> Iterator[Element]:
    """Open a table with a row of headings; gives the body, into which rows go. Wide ones scroll by themselves.

    `numbers`: the columns of figures, which stand right; their cells are `figure_cell`s.
    """
    scrolling = ui.element("div").classes("scroll-x").props(f'tabindex=0 role=region aria-label="{label}"')
    with scrolling, ui.element("table").classes("rows"):
        with ui.element("thead"), ui.element("tr"):
            for column in columns:
                Text("th", column).props("scope=col").classes("number" if column in numbers else "")
        with ui.element("tbody") as body:
            yield body


def figure_cell(text: str = "") -> Text:
    """Return a cell of a column of figures."""
    return Text("td", text).classes("number")


def tag(name: str) -> Element:
    """Open a tag that holds other elements: `with tag("td"): …`."""
    return ui.element(name)
