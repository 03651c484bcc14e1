"""Owns the command `forget`."""

from typing import Annotated

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line
from schemas.identifiers import is_number, is_user


def forget(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="user:<id> or number:<number>.")],
    tenant: Annotated[str, typer.Option("--tenant", "-T", help="Whose person or number it is.")],
    gone: Annotated[
        bool, typer.Option("--gone", help="It is gone, though sources still tell of it: count it no more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erase what is stored of a person or number; its history stays under a pseudonym, so that figures stay.

    Example: poolwatch forget -T acme user:5d2f6a31
    """
    if not (is_user(subject) or is_number(subject)):
        raise Failure(f"{subject[:80]!r} is no subject: it is user:<id> in lower case, or number:<number>")
    with connect() as api:
        told = api.request("DELETE", tenant_path(tenant, f"/seats/{subject}"), params={"gone": gone or None}).json()
    if as_json:
        print_json(told)
        return
    print_line(f"{subject} is forgotten: {told['changes']} changes are kept as {told['pseudonym']}, without facts")
    if told["cleared"]:
        print_line(f"it was still told of ({', '.join(told['cleared'])}), and comes back if a source does so again")
    print_line(
        f"Kafka's topics of events and changes have it until {told['kafka_until']}; backups until they are deleted"
    )
