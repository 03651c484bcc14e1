"""Owns the small line of a table cell."""

from collections.abc import Sequence

from nicegui import ui

_WIDTH, _HEIGHT = 110, 26


def sparkline(values: Sequence[int]) -> None:
    """Draw values, oldest first, between their lowest and highest; nothing where there are fewer than two."""
    if len(values) < 2:
        return
    low, high = min(values), max(values)
    step, scale = _WIDTH / (len(values) - 1), (_HEIGHT - 4) / ((high - low) or 1)
    points = " ".join(
        f"{number * step:.1f},{_HEIGHT - 2 - (value - low) * scale:.1f}" for number, value in enumerate(values)
    )
    label = f"from {values[0]:,} to {values[-1]:,}, lowest {low:,}, highest {high:,}"
    picture = ui.element("svg").classes("sparkline")
    picture.props(f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width={_WIDTH} height={_HEIGHT} role=img aria-label="{label}"')
    with picture:
        ui.element("polyline").props(f'points="{points}" fill=none stroke=currentColor stroke-width=1.5')
