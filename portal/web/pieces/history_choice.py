"""Owns the time range drop-down with Get History, which leads to the history page."""

from nicegui import ui

RANGES = {
    "1h": "Last hour",
    "1d": "Last day",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "365d": "Last year",
}


def history_choice(tenant: str) -> None:
    """Offer a range and Get History."""
    choice = ui.select(RANGES, value="30d", label="Time range").props("dense outlined").classes("choice")
    ui.button("Get History", on_click=lambda: ui.navigate.to(f"/tenants/{tenant}/history?from={choice.value}"))
