"""Owns the commands of API tokens: `token create`, `token list`, `token revoke`; and the making of an installation's
first token, for which no portal can be asked."""

from typing import Annotated, Any

import typer

from portal.access.principals import Role
from runtime.cli.client import NotThere, Refused, connect, user
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line, print_table
from runtime.settings import Settings, load

token = typer.Typer(no_args_is_help=True, help="API tokens: what programs sign in with.")

_PATH = "/api/v1/tokens"


@token.command("create")
def token_create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name for people.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
    tenant: Annotated[
        list[str] | None,
        typer.Option("--tenant", metavar="TENANT", help="Of a tenant's role: whose tenants; repeat it."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=1_095, help="For how long.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make an API token; its secret is shown this once.

    Where the portal asks to sign in and POOLWATCH_CLICKHOUSE_URL is set, it is written into ClickHouse: the first one.

    Example: poolwatch token create reports --role tenant_viewer --tenant contoso --days 30
    """
    body = {"name": name, "role": role, "tenants": tenant or [], "expires_in_days": days}
    made = _made(body, load())
    if as_json:
        print_json(made)
        return
    whose = ", ".join(made["tenants"]) or "all tenants"
    print_line(f"{made['name']}: {made['role']} of {whose}, until {made['expires_at']}. Its secret, shown this once:")
    print_line(made["secret"])


@token.command("list")
def token_list(as_json: AsJson = False) -> None:
    """List the API tokens that you may revoke, without their secrets.

    Example: poolwatch token list
    """
    with connect() as api:
        tokens = list(api.items(_PATH))
    if as_json:
        print_json(tokens)
        return
    columns = ("id", "name", "role", "tenants", "created_at", "created_by", "expires_at", "last_used_on")
    shown = [each | {"tenants": ", ".join(each["tenants"]) or "all"} for each in tokens]
    print_table(columns, [[each[column] for column in columns] for each in shown])


@token.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, of `token list`.")],
    as_json: AsJson = False,
) -> None:
    """Make an API token useless, within seconds everywhere.

    Example: poolwatch token revoke 9f2c4b7a1d3e5f60
    """
    if not token_id.isalnum():
        raise Failure(f"{token_id[:80]!r} is not the id of a token: `poolwatch token list` shows those there are")
    with connect() as api:
        revoked = api.request("DELETE", f"{_PATH}/{token_id}").json()
    print_json(revoked) if as_json else print_line(f"{token_id} is revoked")


def _made(body: dict[str, Any], settings: Settings) -> Any:
    try:
        with connect() as api:
            return api.request("POST", _PATH, body=body).json()
    except (NotThere, Refused) as refusal:
        is_asked_who = isinstance(refusal, NotThere) or refusal.status == 401
        if not is_asked_who or settings.token is not None or settings.clickhouse.url is None:
            raise
    return _written(body, settings)


def _written(body: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Write a token into ClickHouse: whoever may do so may do anything."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from portal.answers.token_bodies import token_of
    from portal.api.tokens import shown
    from portal.problems import Problem
    from portal.services import utc_now
    from portal.store.tokens import ClickHouseTokens
    from runtime.clickhouse.errors import StorageError
    from runtime.clickhouse.pool import open_pool

    try:
        made, secret = token_of(body, utc_now(), f"command line: {user()}")
        with open_pool(settings.clickhouse, size=1) as pool:
            ClickHouseTokens(pool).add(made)
    except (Problem, StorageError) as error:
        raise Failure(str(error)) from error
    except ClickHouseError as error:
        raise Failure(
            "ClickHouse did not take the token: run `poolwatch migrate`, and check that the user of"
            " POOLWATCH_CLICKHOUSE_URL may write"
        ) from error
    return shown(made) | {"secret": secret}
