"""Owns the commands about single subjects: `seats`, `explain`, `changes`, `audit`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import (
    AsJson,
    OutputOption,
    TenantArgument,
    json_text,
    print_json,
    print_line,
    print_table,
    write_text,
)
from schemas.identifiers import is_number, is_user

Factor = Literal[
    "counted", "none", "all", "direct_routing", "operator_connect", "lifecycle", "user_interface", "service_number"
]
FormatOption = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to show it.")]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As recorded then: RFC 3339, 2026-03-03, 30d.")
]


def seats(
    name: TenantArgument,
    factor: Annotated[Factor, typer.Option(help="A factor, counted, none (known and not counted) or all.")] = "counted",
    search: Annotated[str | None, typer.Option(help="In id, name or user principal name.")] = None,
    at: AtOption = None,
    form: FormatOption = "table",
    as_json: AsJson = False,
    output: OutputOption = None,
) -> None:
    """List who is counted, where, and since when.

    Example: poolwatch seats acme --factor direct_routing
    """
    found = _listed(
        tenant_path(name, "/seats"), "json" if as_json else form, output, factor=factor, search=search, at=at
    )
    if found is None:
        return
    columns = ("subject", "display_name", "user_principal_name", "factor", "since")
    print_table(columns, [[seat[column] for column in columns] for seat in found])


def explain(
    name: TenantArgument,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="user:<id> or number:<number>.")],
    at: AtOption = None,
    as_json: AsJson = False,
) -> None:
    """Say why a subject is counted, or not: facts, decisions, and what led there.

    Example: poolwatch explain acme user:5d2f6a31-0c4e-4b7a-9a51-6f0b8f0a1c22 --at 2026-03-03T12:00:00Z
    """
    if not (is_user(subject) or is_number(subject)):
        raise Failure(
            f"{subject[:80]!r} is not a subject: it is user:<id> in lower case, or number:<number>;"
            f" `poolwatch seats {name[:64]} --factor all --search …` finds one by name"
        )
    with connect() as api:
        found = api.get(tenant_path(name, f"/seats/{subject}"), at=at)
    print_json(found) if as_json else _print_explanation(found)


def changes(
    name: TenantArgument,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="30d (ago), 2026-03, or RFC 3339.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Likewise; default: now.")] = None,
    form: FormatOption = "table",
    as_json: AsJson = False,
    output: OutputOption = None,
) -> None:
    """List what moved the count: subjects one by one, settings with the number of subjects they moved.

    Example: poolwatch changes acme --from 7d
    """
    query = {"from": start, "to": end}
    found = _listed(tenant_path(name, "/changes"), "json" if as_json else form, output, **query)
    if found is None:
        return
    columns = ("at", "kind", "subject", "from_factor", "to_factor", "cause", "source")
    print_table(columns, [[_cell(item, column) for column in columns] for item in found])


def audit(name: TenantArgument, as_json: AsJson = False) -> None:
    """Recount a tenant from its facts and compare; exit code 1 if anything differs.

    Example: poolwatch audit acme
    """
    with connect() as api:
        found = api.get(tenant_path(name, "/audit"))
    print_json(found) if as_json else _print_audit(found)
    if not found["agrees"]:
        raise typer.Exit(1)


def _listed(path: str, form: str, output: Path | None, **query: str | None) -> list[dict[str, Any]] | None:
    """Return all items of a list to make a table of; None where they have been written in another form."""
    with connect() as api:
        if form == "csv":
            write_text(api.text(path, "text/csv", **query), output)
            return None
        found = list(api.items(path, **query))
    if form == "json":
        write_text(json_text(found), output)
        return None
    return found


def _cell(item: dict[str, Any], column: str) -> Any:
    if column == "subject" and item["kind"] == "settings":
        return f"{item['subjects']:,} subjects" + "".join(f", {name} {n:+,}" for name, n in item["factors"].items())
    return item[column]


def _print_explanation(found: dict[str, Any]) -> None:
    where = f"is counted at {found['factor']}" if found["factor"] else "is not counted"
    since = f" since {found['since']}" if found["since"] else ""
    print_line(f"{found['subject']} {where}{since}.")
    print_line("\nWhy:")
    for decision in found["decisions"]:
        mark = "counted " if decision["counted"] else "matches " if decision["matches"] else "no      "
        print_line(f"  {mark} {decision['factor']:<17} {decision['reason']}")
    print_line("\nWhat is known:")
    for facet, known in found["facts"].items():
        facts = known["facts"]
        said = "cleared" if facts is None else ", ".join(f"{key}={value}" for key, value in facts.items())
        print_line(f"  {facet:<13} {said or '(no facts)'}  (from {known['source']}, {known['observed_at']})")
    print_line("\nWhat led there:")
    for change in found["changes"]:
        moved = f"{change['from_factor'] or 'not counted'} -> {change['to_factor'] or 'not counted'}"
        because = " ".join(part for part in (change["cause"], change["facet"], change["source"]) if part)
        print_line(f"  {change['at']}  {moved}  ({because})")


def _print_audit(found: dict[str, Any]) -> None:
    for difference in found["differences"]:
        recorded, recount = difference["recorded_factor"], difference["recount_factor"]
        print_line(
            f"{difference['subject']}: recorded {recorded or 'not counted'}, recounted {recount or 'not counted'}"
        )
    for label, shown, again in _figures(found["live"], found["recount"]):
        if shown != again:
            print_line(f"{label}: shown {shown:,}, recounted {again:,}")
    for number in found["numbers_held_by_users"]:
        print_line(f"{number}: a service number that a user holds as well (held_by_user is not set at its source)")
    if found["agrees"]:
        print_line(
            f"no difference: {found['subjects']:,} subjects recounted,"
            f" {found['recount']['currently_licensed']:,} licensed"
        )
    else:
        print_line(f"{found['differences_total']:,} of {found['subjects']:,} subjects differ")


def _figures(live: dict[str, Any], recount: dict[str, Any]) -> list[tuple[str, int, int]]:
    names = ("currently_licensed", "user_licenses", "dr_phone_licenses")
    figures = [(name, live[name], recount[name]) for name in names]
    for factor, numbers in live["factors"].items():
        figures += [(f"{factor} {part}", numbers[part], recount["factors"][factor][part]) for part in numbers]
    return figures
