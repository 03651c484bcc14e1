"""Owns how the command line prints: JSON as the API gives it, tables, and words; colours on a terminal alone."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from runtime.cli.failure import Failure

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, as the REST API gives it.")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="File for what is no table.")]
TenantArgument = Annotated[str, typer.Argument(metavar="TENANT", help="Tenant id.")]

_WIDE = 240
"""Columns where nobody's terminal is measured: a table in a pipe or file must not be cut to fit one."""


def console() -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def json_text(data: Any) -> str:
    """Return data as indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def print_json(data: Any) -> None:
    """Print data as indented JSON."""
    sys.stdout.write(json_text(data))


def print_json_line(data: Any) -> None:
    """Print data as one line of JSON, at once."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table; columns named in `numbers` are aligned to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", no_wrap=column in numbers)
    for row in rows:
        table.add_row(*(shown(value) for value in row))
    console().print(table)


def print_line(text: str = "") -> None:
    """Print a line of plain text."""
    console().print(text, markup=False)


def write_text(text: str, output: Path | None) -> None:
    """Write text to a file, or print it where none is named. Raises Failure for a file that cannot be written."""
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}; name another file with --output") from error
    print_line(f"written: {output}")


def shown(value: Any) -> str:
    """Return a value for people: a dash for nothing, yes and no, thousands marked."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def percent(value: float | None) -> str:
    """Return a percentage with one decimal, a dash where there is none."""
    return "-" if value is None else f"{value:.1f} %"
