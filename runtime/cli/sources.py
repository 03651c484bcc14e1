"""Owns the command `sources`: how the sources of a tenant are doing."""

from runtime.cli.client import connect, tenant_path
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line, print_table


def sources(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show how the last reading of each part of a tenant's sources went.

    Example: poolwatch sources contoso
    """
    with connect() as api:
        answer = api.get(tenant_path(name, "/sources"))
    if as_json:
        print_json(answer)
        return
    if not answer["items"]:
        print_line(f"no collector has told of {name} yet: `poolwatch run collector graph` reads Microsoft Graph")
        return
    columns = ("source", "part", "state", "since", "read", "full_at", "facets", "reason")
    rows = [
        [", ".join(item[column]) if column == "facets" else item[column] for column in columns]
        for item in answer["items"]
    ]
    print_table(columns, rows, numbers=("read",))
