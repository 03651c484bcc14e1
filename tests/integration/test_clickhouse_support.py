"""The ClickHouse of the tests is the real engine, and each test has a database of its own."""

from tests.support.engine import ClickHouse, Database, fresh_database


def test_json_lines_go_in_as_they_are(database: Database) -> None:
    database.client.command("CREATE TABLE seats (tenant String, n UInt32) ENGINE = MergeTree ORDER BY tenant")

    database.client.raw_insert(
        "seats", insert_block=b'{"tenant":"acme","n":1}\n{"tenant":"bolt","n":2}\n', fmt="JSONEachRow"
    )

    rows = database.client.query("SELECT tenant, n FROM seats ORDER BY tenant").result_rows
    assert [("acme", 1), ("bolt", 2)] == [tuple(row) for row in rows]


def test_databases_are_apart_and_go_away(clickhouse: ClickHouse, database: Database) -> None:
    with fresh_database(clickhouse) as other:
        other.client.command("CREATE TABLE only_here (n UInt32) ENGINE = MergeTree ORDER BY n")
        assert database.client.query("SHOW TABLES").result_rows == []

    names = {row[0] for row in database.client.query("SHOW DATABASES").result_rows}
    assert other.name not in names
    assert database.name in names
