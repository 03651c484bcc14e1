"""Owns the command `reclaim`: seats that could be freed, and why."""

from typing import Annotated

import typer

from licensing.reclaim import Reason
from portal.answers.reclaim import OLD_DAYS
from runtime.cli.client import connect, tenant_path
from runtime.cli.output import (
    AsJson,
    OutputOption,
    TenantArgument,
    json_text,
    print_line,
    print_table,
    write_text,
)
from runtime.cli.seats import FormatOption


def reclaim(
    name: TenantArgument,
    reason: Annotated[Reason | None, typer.Option(help="This reason alone.")] = None,
    older_than_days: Annotated[
        int, typer.Option(min=1, max=3_650, help="From which age on a change by hand is old.")
    ] = OLD_DAYS,
    form: FormatOption = "table",
    as_json: AsJson = False,
    output: OutputOption = None,
) -> None:
    """List seats that could be freed, why, and what that rests on.

    Example: poolwatch reclaim acme --reason disabled_account
    """
    path, query = tenant_path(name, "/reclaim"), {"reason": reason, "older_than_days": older_than_days}
    with connect() as api:
        if form == "csv" and not as_json:
            write_text(api.text(path, "text/csv", **query), output)
            return
        found = api.get(path, **query, limit=1_000)
        items, cursor = found["items"], found["next_cursor"]
        while cursor is not None:
            more = api.get(path, **query, limit=1_000, cursor=cursor)
            items, cursor = items + more["items"], more["next_cursor"]
    if form == "json" or as_json:
        write_text(json_text(found | {"items": items, "next_cursor": None}), output)
        return
    columns = ("subject", "display_name", "factor", "reason", "saving", "explanation")
    print_table(columns, [[item[column] for column in columns] for item in items], numbers=("saving",))
    totals = found["totals"]
    print_line(f"{totals['seats']:,} seats could be freed of {totals['subjects']:,} subjects that are worth a look.")
    if found["stale_facets"]:
        facets = ", ".join(found["stale_facets"])
        print_line(f"Not confirmed by its source for too long: {facets}. Look again before acting on it.")
