"""Owns the commands of syncs: `sync list`, `sync confirm`."""

from typing import Annotated

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line, print_table

sync = typer.Typer(no_args_is_help=True, help="Full syncs of sources, and those held back.")


@sync.command("list")
def sync_list(name: TenantArgument, as_json: AsJson = False) -> None:
    """List the syncs of a tenant, newest first.

    Example: poolwatch sync list acme
    """
    with connect() as api:
        runs = list(api.items(tenant_path(name, "/syncs")))
    if as_json:
        print_json(runs)
        return
    columns = ("id", "facet", "source", "started_at", "status", "seen", "expected")
    print_table(columns, [[run[column] for column in columns] for run in runs], numbers=("seen", "expected"))


@sync.command("confirm")
def sync_confirm(
    name: TenantArgument,
    sync_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the held sync, of `sync list`.")],
    as_json: AsJson = False,
) -> None:
    """Let a held sync through: what it did not see is swept.

    Example: poolwatch sync confirm acme 3f1c9e0b2a7d4e65b8c1d2e3f4a5b6c7
    """
    with connect() as api:
        run = api.request("POST", tenant_path(name, f"/syncs/{sync_id}/confirm")).json()
    if as_json:
        print_json(run)
    else:
        print_line(f"confirmed: the {run['facet']} facts that {run['source']} did not see are swept")
