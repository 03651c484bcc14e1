"""Owns the commands of operators: `migrate`, `topics`, `check-config`, `version`, `up`."""

import asyncio
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from runtime import kafka, topics
from runtime.cli.broker import started
from runtime.cli.client import Api
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line, print_table
from runtime.cli.tenants import print_counts
from runtime.effective import effective, unknown_names
from runtime.installation import find
from runtime.settings import SettingsError, load


def check_config(as_json: AsJson = False) -> None:
    """Show every setting, its value and where it came from; exit code 1 for a mistake.

    Example: poolwatch check-config
    """
    try:
        rows = effective(load())
    except SettingsError as error:
        raise Failure(str(error)) from error
    mistaken = unknown_names()
    if as_json:
        print_json({"settings": [{"name": row.name, "value": row.value, "from": row.origin} for row in rows],
                    "unknown": mistaken})  # fmt: skip
    else:
        print_table(("setting", "value", "from"), [(row.name, row.value, row.origin) for row in rows])
    if mistaken:
        raise Failure("\n".join(mistaken))


def make_topics(as_json: AsJson = False) -> None:
    """Make the Kafka topics that are missing; refuse when those there have another number of partitions.

    Example: poolwatch topics
    """
    installation = find()
    own = installation.kafka

    async def run() -> list[topics.TopicState]:
        async with started(kafka.admin(own), installation) as admin:
            return await topics.ensure(admin, own.topic_prefix, own.partitions, own.replication_factor)

    try:
        states = asyncio.run(run())
    except topics.TopicsError as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json([{"name": state.name, "partitions": state.partitions, "made": state.made} for state in states])
    else:
        rows = [(state.name, state.partitions, "made" if state.made else "was there") for state in states]
        print_table(("topic", "partitions", ""), rows, numbers=("partitions",))


def migrate(as_json: AsJson = False) -> None:
    """Bring the schema of ClickHouse up to this version and set its retention.

    Example: poolwatch migrate
    """
    from runtime.clickhouse.errors import StorageError
    from runtime.clickhouse.migrate import migrate as run
    from runtime.clickhouse.pool import open_pool

    settings = load()
    try:
        with open_pool(settings.clickhouse) as pool:
            applied = run(pool, settings.retention)
    except StorageError as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json({"applied": applied})
    else:
        print_line("\n".join(f"applied {name}" for name in applied) or "nothing to do: the schema is up to date")


def version(as_json: AsJson = False) -> None:
    """Show the version.

    Example: poolwatch version
    """
    found = installed_version("poolwatch")
    print_json({"version": found}) if as_json else print_line(found)


def up(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where history is kept.")] = Path("data"),
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the portal.")] = 8080,
    demo: Annotated[bool, typer.Option("--demo", help="With a demo provider, if the directory is empty.")] = False,
) -> None:
    """Run the whole stack on this machine, without Docker and services, until Ctrl-C.

    Example: poolwatch up --demo
    """
    from runtime.clickhouse.errors import StorageError
    from runtime.embedded.broker import BrokerMissingError, PortInUseError
    from runtime.embedded.child import ChildFailedError
    from runtime.embedded.stack import Stack, StackError
    from runtime.portal_process import PortalError

    stack = Stack(data, port, demo=demo, say=print_line)

    def started() -> None:
        with Api(stack.url) as api:
            print_counts(list(api.items("/api/v1/tenants", sort="tenant")))
        print_line(f"Poolwatch answers at {stack.url} (its API: {stack.url}/api/openapi.json). Ctrl-C stops it.")

    try:
        stack.run(started)
    except (StackError, StorageError, PortalError, PortInUseError, BrokerMissingError, ChildFailedError) as error:
        raise Failure(str(error)) from error
