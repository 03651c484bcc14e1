"""Owns how a page gives away a link to what it shows."""

import json

from nicegui import ui

from portal.web.pieces.text import Text, heading

_COPY = """
    try { await navigator.clipboard.writeText(location.origin + %s); return true } catch { return false }
"""


async def copy_link(path: str) -> None:
    """Copy the address of a page; show it where the browser does not let it be copied."""
    try:
        copied = await ui.run_javascript(_COPY % json.dumps(path), timeout=5.0)
    except TimeoutError:
        copied = False
    if copied:
        ui.notify("The link is copied: it shows this view as it is now.", type="positive")
        return
    with ui.dialog(value=True), ui.card():
        heading("Link to this view")
        Text("code", path).classes("value")
