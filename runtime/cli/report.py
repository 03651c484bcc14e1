"""Owns the command `report`: what tenants used in a month, and what was in force at noon."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import print_line

Form = Literal["json", "csv", "html", "pdf"]
_ACCEPTED: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "html": "text/html",
    "pdf": "application/pdf",
}


def report(
    name: Annotated[str | None, typer.Argument(metavar="TENANT", help="Tenant id.")] = None,
    month: Annotated[
        str | None, typer.Option(metavar="2026-10", help="Which month; default: the last that has ended.")
    ] = None,
    daily: Annotated[bool, typer.Option("--daily", help="What was in force at 12:00 UTC, of all tenants.")] = False,
    date: Annotated[str | None, typer.Option(metavar="2026-10-31", help="Which day; default: the last noon.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All tenants, a line each.")] = False,
    form: Annotated[Form, typer.Option("--format", help="html and pdf are of one tenant.")] = "csv",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    output: Annotated[Path | None, typer.Option("--out", "-o", help="File; a PDF needs one.")] = None,
) -> None:
    """Report what a tenant used in a month (UTC), or all of them, or what was in force at noon.

    Example: poolwatch report acme --month 2026-10 --format pdf --out acme.pdf
    """
    form = "json" if as_json else form
    if sum((name is not None, daily, every)) != 1:
        raise typer.BadParameter("give a tenant, or --all, or --daily, and one of them")
    if (daily and month) or (date and not daily):
        raise typer.BadParameter("--month is of a tenant or --all, --date of --daily")
    if form in ("html", "pdf") and name is None:
        raise typer.BadParameter(f"{form} is of one tenant: take csv or json")
    if form == "pdf" and output is None:
        raise typer.BadParameter("a PDF goes into a file: name one with --out")
    path = tenant_path(name, "/reports/monthly") if name else f"/api/v1/reports/{'daily' if daily else 'monthly'}"
    with connect() as api:
        answer = api.request(
            "GET", path, params={"date": date} if daily else {"month": month}, headers={"Accept": _ACCEPTED[form]}
        )
    if output is None:
        typer.echo(answer.text, nl=not answer.text.endswith("\n"))
        return
    try:
        output.write_bytes(answer.content)
    except OSError as error:
        raise Failure(f"{output} cannot be written: {error.strerror}; name another file with --out") from error
    print_line(f"written: {output}")
