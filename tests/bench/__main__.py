"""Runs the bench: `python -m tests.bench [--quick] [--only NAME]…`; exit code 1 if a figure is missing or
misses its bar."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console

from runtime.logging import configure
from runtime.settings import Log
from tests.bench import report
from tests.bench.figures import Figure, Missing
from tests.bench.measurements import (
    graph,
    history,
    latency,
    overview,
    recovery,
    sink,
    startup,
    stream,
    throughput,
    what_if,
)
from tests.bench.stage import Stage, open_stage

MEASUREMENTS: dict[str, Callable[[Stage], Iterator[Figure]]] = {
    "throughput": throughput.measure,
    "sink": sink.measure,
    "recovery": recovery.measure,
    "latency": latency.measure,
    "history": history.measure,
    "overview": overview.measure,
    "what-if": what_if.measure,
    "stream": stream.measure,
    "graph": graph.measure,
    "startup": startup.measure,
}
"""In this order; `sink` stores what `throughput` has told."""


def main() -> int:
    """Run the chosen measurements one after the other; one that fails does not keep the others from running."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less data, in under 3 minutes; bars of size are left out")
    parser.add_argument(
        "--only", action="append", choices=list(MEASUREMENTS), metavar="NAME", help=", ".join(MEASUREMENTS)
    )
    arguments = parser.parse_args()
    configure(Log(level="warning", format="auto"))
    console, entries = Console(width=None if sys.stdout.isatty() else 150), list[report.Entry]()
    with open_stage(quick=arguments.quick) as stage:
        about = report.machine(stage.broker.name, quick=arguments.quick)
        console.print(f"broker: {stage.broker.name}; load average {about['load_average']}", highlight=False)
        for name, measure in MEASUREMENTS.items():
            if not arguments.only or name in arguments.only:
                entries += _run(console, stage, name, measure)
    report.show(console, about, entries)
    report.save(about, entries)
    failed = [entry for entry in entries if isinstance(entry, Missing) or entry.meets(entry.bar) is False]
    return 1 if failed else 0


def _run(
    console: Console, stage: Stage, name: str, measure: Callable[[Stage], Iterator[Figure]]
) -> Iterator[report.Entry]:
    begin = time.monotonic()
    with console.status(f"measuring {name} ..."):
        try:
            yield from measure(stage)
        except Exception as error:  # noqa: BLE001  # the other measurements still have something to say
            console.print(f"{name} failed: {error}", style="red", highlight=False, markup=False)
            yield Missing(name, f"{type(error).__name__}: {error}".splitlines()[0])
    console.print(f"{name}: {time.monotonic() - begin:.0f} s", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
