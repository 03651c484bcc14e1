"""Prints how far forecasts are off, by kind of tenant, method and horizon: `python -m tests.bench.backtest`."""

import argparse
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.bench.backtest.methods import METHODS
from tests.bench.backtest.series import all_series
from tests.bench.backtest.trial import HORIZONS, Scores, back_test


def main() -> None:
    """Run the back-test and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.backtest", description=__doc__)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--series", type=int, default=20, help="of each kind")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    scores = back_test(all_series(arguments.seed, arguments.series), METHODS)
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(_table(scores))
    console.print(
        f"seed {arguments.seed}, {arguments.series} series of each kind, {time.perf_counter() - begin:.0f} s",
        highlight=False,
    )


def _table(scores: Scores) -> Table:
    table = Table(title="Mean absolute error in % of the pool (true values within the 80 % band)")
    table.add_column("series")
    table.add_column("method")
    for ahead in HORIZONS:
        table.add_column(f"{ahead} days", justify="right")
    for kind in dict.fromkeys(kind for kind, _, _ in scores):
        for method in METHODS:
            cells = []
            for ahead in HORIZONS:
                score = scores[kind, method, ahead]
                cells.append(f"{score.error:.2f}" + ("" if score.coverage is None else f" ({score.coverage:.0f} %)"))
            table.add_row(kind, method, *cells, end_section=method == list(METHODS)[-1])
    return table


if __name__ == "__main__":
    main()
