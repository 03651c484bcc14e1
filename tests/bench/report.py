"""What the bench says at its end: a table, and the same as JSON in `bench-results.json`."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, Missing

RESULTS = Path("bench-results.json")
_PACKAGES = ("faust-streaming", "quixstreams", "aiokafka", "confluent-kafka", "msgspec", "chdb", "chdb-core")

Entry = Figure | Missing


def machine(broker: str, *, quick: bool) -> dict[str, Any]:
    """Return what the figures were measured on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "quick": quick,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "broker": broker,
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def show(console: Console, about: dict[str, Any], entries: Sequence[Entry]) -> None:
    """Print the table, with a line for each figure on what it was measured on."""
    table = Table(title="Poolwatch bench" + (" (quick)" if about["quick"] else ""), title_justify="left")
    for heading in ("what", "figure", "peer", "ratio", "bar", "aim", "met"):
        table.add_column(heading, justify="left" if heading in ("what", "met") else "right")
    for entry in entries:
        table.add_row(*_cells(entry))
    console.print(table)
    for entry in entries:
        peer = f"; the peer: {entry.peer}" if isinstance(entry, Figure) and entry.peer else ""
        text = f"{entry.note}{peer}" if isinstance(entry, Figure) else f"NOT MEASURED: {entry.why}"
        console.print(f"[bold]{entry.name}[/]: {text}", highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in about.items() if name != "versions"), highlight=False)
    console.print(", ".join(f"{name} {value}" for name, value in about["versions"].items()), highlight=False)


def _cells(entry: Entry) -> tuple[str, ...]:
    if isinstance(entry, Missing):
        return entry.name, "none", "", "", "", "", "[bold red]not measured[/]"
    met, aimed = entry.meets(entry.bar), entry.meets(entry.aim)
    word = "" if met is None else "[red]missed[/]" if not met else "[green]aim[/]" if aimed else "[green]bar[/]"
    ratio = entry.ratio
    unit = " x" if ratio is not None else f" {entry.unit}"
    limits = tuple("" if limit is None else f"{_short(limit)}{unit}" for limit in (entry.bar, entry.aim))
    peer = "" if entry.peer_value is None else _short(entry.peer_value)
    return (
        entry.name,
        f"{_short(entry.value)} {entry.unit}",
        peer,
        "" if ratio is None else f"{ratio:.1f} x",
        *limits,
        word,
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(about: dict[str, Any], entries: Sequence[Entry]) -> None:
    """Write all figures, with every run, beside what they were measured on."""
    figures = [
        asdict(entry) | {"ratio": entry.ratio, "met": entry.meets(entry.bar), "aim_met": entry.meets(entry.aim)}
        if isinstance(entry, Figure)
        else asdict(entry)
        for entry in entries
    ]
    RESULTS.write_text(json.dumps({"machine": about, "figures": figures}, indent=2) + "\n")
