"""Owns the command `history`: figures over time as a plot and table, CSV, JSON or a PNG picture."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from portal.answers.ranges import RangeError, choose_step, parse_range
from portal.services import utc_now
from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import TenantArgument, json_text, print_line, print_table, write_text
from runtime.cli.plot import draw, save_png

_ROWS = 60
"""What `auto` aims at where people read the rows."""


def history(
    name: TenantArgument,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="30d (ago), 2026-03, or RFC 3339.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Likewise; default: now.")] = None,
    step: Annotated[str, typer.Option(help="auto, 1m, 1h, 1d, or seconds.")] = "auto",
    form: Annotated[Literal["table", "csv", "json", "png"], typer.Option("--format", help="How to show it.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File for csv, json and png.")] = None,
) -> None:
    """Show the figures of a tenant over time.

    Example: poolwatch history contoso --from 30d --step 1d
    """
    form = "json" if as_json else form
    path = tenant_path(name, "/licenses/history")
    # Both ends are fixed here: a relative one would mean another instant at the server.
    try:
        since, until = parse_range(start, end, utc_now())
        if form == "table" and step == "auto":
            step = str(choose_step(step, since, until, _ROWS))
    except RangeError as error:
        raise Failure(str(error)) from error
    query = {"from": since.isoformat(), "to": until.isoformat(), "step": step}
    with connect() as api:
        if form == "csv":
            write_text(api.text(path, "text/csv", **query), output)
            return
        found = api.get(path, **query)
    if form == "json":
        write_text(json_text(found), output)
    elif not found["points"]:
        print_line(f"nothing is on record of {name} between {found['from']} and {found['to']}")
    elif form == "png":
        target = output or Path(f"{name}-licenses.png")
        save_png(f"{name} (demo data)" if found["demo_until"] else name, found["points"], target)
        print_line(f"written: {target}")
    else:
        _print(found["points"])
        if found["demo_until"] is not None:
            print_line(f"Up to {found['demo_until']} this is made-up demo data.")


def _print(points: list[dict[str, Any]]) -> None:
    for line in draw([point["currently_licensed"]["max"] for point in points], points[-1]["acquired_licenses"]):
        print_line(line)
    numbers = ("min", "max", "last", "avg", "acquired", "available")
    rows = [
        (point["at"], *(point["currently_licensed"][part] for part in ("min", "max", "last", "avg")),
         point["acquired_licenses"], point["available_licenses"])
        for point in points
    ]  # fmt: skip
    print_table(("at", *numbers), rows, numbers=numbers)
