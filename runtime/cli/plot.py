"""Owns the pictures of history: columns of characters in a terminal, and a PNG file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from runtime.cli.failure import Failure

_HEIGHT = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def draw(values: Sequence[int], pool: int | None) -> list[str]:
    """Return the lines of a column chart, one column a value, scaled from 0 to the highest value or the pool."""
    top = max([*values, pool or 0, 1])
    width = len(f"{top:,}")
    lines = []
    for row in range(_HEIGHT - 1, -1, -1):
        label = f"{top:,}" if row == _HEIGHT - 1 else "0" if row == 0 else ""
        bars = "".join(_EIGHTHS[_filled(value, top, row)] for value in values)
        lines.append(f"{label:>{width}} │{bars}")
    legend = f"currently licensed, highest of each step{'' if pool is None else f'; pool {pool:,}'}"
    return [*lines, f"{'':>{width}} └{'─' * len(values)}", f"{'':>{width}}  {legend}", ""]


def _filled(value: int, top: int, row: int) -> int:
    """Return how many eighths of a row's cell a value fills."""
    least = 1 if value else 0  # what is small beside the pool is not nothing
    return max(least if row == 0 else 0, min(8, round(value * _HEIGHT * 8 / top) - row * 8))


def save_png(tenant: str, points: Sequence[dict[str, Any]], target: Path) -> None:
    """Draw the range of each step, the last value and the pool. Raises Failure if the file cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Figure and canvas by hand: pyplot keeps figures for ever and asks for a display.
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    at = [datetime.fromisoformat(point["at"]) for point in points]
    licensed = [point["currently_licensed"] for point in points]
    times: Any = at  # matplotlib's types know no datetimes, its converters do
    axes.fill_between(times, [one["min"] for one in licensed], [one["max"] for one in licensed], alpha=0.3, step="post")
    axes.step(times, [one["last"] for one in licensed], where="post", label="currently licensed")
    pools: Any = [point["acquired_licenses"] for point in points]
    if any(pool is not None for pool in pools):
        axes.step(times, [float("nan") if pool is None else pool for pool in pools], where="post", label="acquired")
    axes.set_ylim(bottom=0)
    axes.set_title(f"{tenant}: licences")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.autofmt_xdate()
    try:
        figure.savefig(target, format="png", dpi=110)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}; name another file with --output") from error
