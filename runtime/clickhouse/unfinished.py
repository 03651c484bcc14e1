"""Owns the mark of a restore that has begun: it stands among the migrations, which every start looks at."""

from clickhouse_connect.driver.client import Client

_NUMBER = 4_294_967_295
_NAME = "restore_not_finished"


def begin_restore(client: Client) -> None:
    """Set the mark."""
    client.insert("schema_migrations", [[_NUMBER, _NAME, ""]], ["number", "name", "checksum"])


def end_restore(client: Client) -> None:
    """Take the mark away."""
    client.command("DELETE FROM schema_migrations WHERE number = {number:UInt32}", parameters={"number": _NUMBER})


def restore_begun(client: Client) -> bool:
    """Tell whether the mark is there."""
    found = client.query(
        "SELECT 1 FROM schema_migrations WHERE number = {number:UInt32} LIMIT 1", parameters={"number": _NUMBER}
    )
    return bool(found.result_rows)
