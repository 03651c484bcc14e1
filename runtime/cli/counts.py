"""Owns the commands of the count now: `count`, `counts`, `watch`."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import httpx
import typer

from runtime.cli.client import Api, connect, tenant_path
from runtime.cli.output import AsJson, TenantArgument, percent, print_json, print_json_line, print_line, print_table
from runtime.cli.output import shown as word
from runtime.cli.tenants import print_counts

_RECONNECT_S = 1.0

Sort = Literal["tenant", "usage", "licensed", "available"]


def count(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show the licence count of a tenant now.

    Example: poolwatch count contoso
    """
    with connect() as api:
        now = api.get(tenant_path(name, "/licenses"))
    print_json(now) if as_json else _print_count(now)


def counts(
    over: Annotated[float | None, typer.Option(metavar="P", help="Usage of at least this percent.")] = None,
    sort: Annotated[Sort, typer.Option(help="tenant, usage, licensed or available.")] = "tenant",
    as_json: AsJson = False,
) -> None:
    """Show the counts of all tenants now.

    Example: poolwatch counts --over 90 --sort usage
    """
    with connect() as api:
        found = list(api.items("/api/v1/tenants", over=over, sort=sort))
    print_json(found) if as_json else print_counts(found)


def watch(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show the count of a tenant and each change of it, until Ctrl-C.

    Example: poolwatch watch contoso
    """
    path = tenant_path(name)
    with connect() as api:
        api.get(f"{path}/licenses")  # a tenant that is not there is told before waiting for it
        try:
            for now in _changes(api, name):
                print_json_line(now) if as_json else print_line(_sentence(now))
        except KeyboardInterrupt:
            return


def _changes(api: Api, tenant: str) -> Iterator[dict[str, Any]]:
    """Yield counts for ever; after a lost connection it resumes where it was."""
    last_id, event, had_any = "", "", False
    while True:
        try:
            for field, value in _fields(api, tenant, last_id):
                if field == "id":
                    last_id = value
                elif field == "event":
                    event = value
                elif field == "data" and event == "count":
                    had_any = True
                    yield json.loads(value)
        except httpx.TransportError as error:
            if not had_any:
                raise api.not_there() from error
        time.sleep(_RECONNECT_S)


def _fields(api: Api, tenant: str, last_id: str) -> Iterator[tuple[str, str]]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
    for line in api.stream("/api/v1/stream", headers, tenant=tenant):
        field, colon, value = line.partition(":")
        if colon and field:
            yield field, value.removeprefix(" ")


def _sentence(now: dict[str, Any]) -> str:
    cause = now["cause"]
    moved = f"+{cause['subjects_gained']} -{cause['subjects_lost']}"
    factors = " ".join(f"{row['factor']} {row['display']}" for row in now["factors"])
    return (
        f"{now['computed_at']}  {word(now['currently_licensed'])} of {word(now['acquired_licenses'])}"
        f" ({percent(now['usage_percent'])})  {cause['kind']} {moved}  {factors}"
    )


def _print_count(now: dict[str, Any]) -> None:
    print_table(
        ("", ""),
        [
            ("Tenant", now["tenant"]),
            ("Last Update", now["computed_at"] + (" (stale)" if now["stale"] else "")),
            ("Acquired Licenses", now["acquired_licenses"]),
            ("Currently Licensed", now["currently_licensed"]),
            ("Available Licenses", now["available_licenses"]),
            ("Usage", percent(now["usage_percent"])),
            ("User Licenses", now["user_licenses"]),
            ("DR Phone Licenses", now["dr_phone_licenses"]),
        ],
    )
    print_line()
    rows = [(row["label"], row["display"], row["cumulative"]) for row in now["factors"]]
    print_table(("factor", "counted (matched)", "cumulative"), rows, numbers=("counted (matched)", "cumulative"))
    for hint in now["hints"]:
        print_line(_HINTS.get(hint, hint))


_HINTS = {
    "no_gateways": "No gateways are configured, so number types alone decide about Direct Routing"
    " (`poolwatch tenant set T --gateway H`).",
    "no_pool": "The pool is not known (`poolwatch tenant set T --pool N`).",
    "source_failing": "A source cannot be read (`poolwatch sources T` says why); the facts of before stay.",
    "few_teams_phone_licences": "The tenant holds fewer Teams Phone licences than it has users enabled for voice.",
    "sync_held": "A sync is held because it would remove many (`poolwatch sync list T`).",
}
