"""Owns the commands `rebuild kafka` and `rebuild clickhouse`."""

import asyncio
from dataclasses import asdict

import typer

from portal.services import utc_now
from runtime import topics
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, print_json, print_line
from runtime.clickhouse.errors import StorageError
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import open_pool
from runtime.embedded.rebuild import Rebuilt
from runtime.installation import find
from runtime.rebuilding import RebuildError, Rewound, rebuild_kafka, rewind_sink
from runtime.settings import Settings, load
from schemas.times import format_time

rebuild = typer.Typer(no_args_is_help=True, help="On a cluster: Kafka from ClickHouse, or ClickHouse from Kafka.")


@rebuild.command("kafka")
def from_clickhouse(as_json: AsJson = False) -> None:
    """Fill empty topics from ClickHouse: settings, the meter's state, tallies, counts, alerts.

    Stop all processes before.

    Example: poolwatch rebuild kafka
    """
    settings = _of_a_cluster()

    async def run() -> Rebuilt:
        with open_pool(settings.clickhouse) as pool:
            migrate(pool, settings.retention)
            return await rebuild_kafka(settings.kafka, pool)

    try:
        rebuilt = asyncio.run(run())
    except (RebuildError, StorageError, topics.TopicsError) as error:
        raise Failure(str(error)) from error
    if as_json:
        print_json(asdict(rebuilt))
        return
    print_line(
        f"{rebuilt.subjects:,} subjects, settings of {rebuilt.tenants:,} and counts of {rebuilt.counts:,} tenants are"
        " in Kafka: start meters, counters and the rest"
    )


@rebuild.command("clickhouse")
def from_kafka(as_json: AsJson = False) -> None:
    """Let the next sink store all that Kafka still has, in what tables there are. Stop the sinks before.

    Example: poolwatch rebuild clickhouse
    """
    settings = _of_a_cluster()

    async def run() -> Rewound:
        return await rewind_sink(settings.kafka, utc_now())

    try:
        rewound = asyncio.run(run())
    except RebuildError as error:
        raise Failure(str(error)) from error
    whole_from = None if rewound.whole_from is None else format_time(rewound.whole_from)
    if as_json:
        print_json({"records": rewound.records, "whole_from": whole_from})
        return
    print_line(f"the next sink reads {rewound.records:,} records again: start it (`poolwatch run sink`)")
    if whole_from is None:
        print_line("Kafka still has every change of a subject that was ever told: all of them come back")
    else:
        print_line(
            f"Kafka has the changes since {whole_from}. What changed before comes from the backup that was restored; a"
            " subject that is in neither has no facts, and `poolwatch audit` names it"
        )


def _of_a_cluster() -> Settings:
    settings = load()
    installation = find(settings)
    if installation.embedded:
        raise Failure(
            f"the stack at {settings.url} is an embedded one: it fills its broker at every start, and its broker"
            " keeps nothing. Set POOLWATCH_KAFKA_BOOTSTRAP and POOLWATCH_CLICKHOUSE_URL for a cluster"
        )
    return settings
