"""A provider with thousands of tenants and a year of history: tenants of the simulator, each copied many times.

`python -m tests.bench.provider` shows it: a portal with ten thousand tenants until Ctrl-C.
"""

import argparse
import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from collectors.simulator.simulator import Simulator
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.clickhouse.seed import seed_history
from runtime.embedded.demo import SEED, history
from runtime.settings import ClickHouse, Retention
from schemas.count import Count
from schemas.identifiers import partition_of
from schemas.settings import TenantSettings
from schemas.topics import TopicName, full_name
from tests.bench.events import PARTITIONS, Record
from tests.bench.stage import Stage, open_stage, write
from tests.support.ports import HOST
from tests.support.waiting import eventually

SIMULATED = 40
_MERGED_WITHIN_S = 120
_HOUR_S = 3_600


@dataclass(frozen=True)
class Provider:
    """`settings` and newest `counts` of the simulated tenants, and how many `copies` there are of each."""

    settings: list[TenantSettings]
    counts: list[Count]
    copies: int

    @property
    def tenants(self) -> int:
        return len(self.settings) * self.copies

    def records(self) -> dict[TopicName, list[Record]]:
        """Return the records that tell of all tenants."""
        found: dict[TopicName, list[Record]] = {"tenants": [], "license-counts": []}
        for copy in range(self.copies):
            for one in self.settings:
                name = f"{copy:03d}-{one.tenant}"
                of_copy = one.model_copy(
                    update={"tenant": name, "display_name": f"{one.display_name} {copy}", "revision": 1}
                )
                found["tenants"].append((name.encode(), of_copy.model_dump_json().encode()))
            for count in self.counts:
                name = f"{copy:03d}-{count.tenant}"
                own = count.model_copy(update={"tenant": name, "epoch": 1})
                found["license-counts"].append((name.encode(), own.model_dump_json().encode()))
        return found


def fill(stage: Stage, prefix: str, tenants: int) -> Provider:
    """Tell of so many tenants in topics of the prefix, and store their year where a portal with it looks."""
    now = datetime.now(UTC).replace(microsecond=0)
    simulator = Simulator(SEED, SIMULATED - 1, now)
    settings = simulator.settings()
    past = list(history(simulator.year_of_counts(), {one.tenant: one for one in settings}, now))
    newest = {count.tenant: count for count in past}
    provider = Provider(settings, list(newest.values()), tenants // SIMULATED)
    asyncio.run(_publish(stage, prefix, provider))
    with open_pool(ClickHouse(data=stage.data_of(prefix))) as pool:
        migrate(pool, Retention())
        seed_history(pool, past)
        with pool.lease() as client:
            _copy(client, provider.copies, int(now.timestamp()) // _HOUR_S * _HOUR_S)
        eventually(lambda: _is_merged(pool), _MERGED_WITHIN_S)
    return provider


async def _publish(stage: Stage, prefix: str, provider: Provider) -> None:
    async with stage.producer() as producer:
        for topic, records in provider.records().items():
            parts: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
            for record in records:
                parts[partition_of(record[0], PARTITIONS)].append(record)
            for partition, part in parts.items():
                await write(producer, full_name(prefix, topic), partition, part)


def _copy(client: Client, copies: int, until_s: int) -> None:
    """Copy all history to every copy; hours without a count repeat the one before, as the sink's heartbeats do."""
    name = "concat(leftPad(toString(copy), 3, '0'), '-', tenant) AS tenant"
    # Copy by copy, which is the order of the key: parts that overlap would have to be merged first.
    each = f"FROM (SELECT number AS copy FROM numbers({copies})) AS copies CROSS JOIN"
    for table in ("license_counts", "license_counts_daily"):
        client.command(
            f"INSERT INTO {table} SELECT * EXCEPT copy REPLACE ({name}) {each} (SELECT * FROM {table}) AS rows"
        )
    client.command(
        "CREATE TABLE every_hour ENGINE = Memory AS SELECT * EXCEPT (next, second) REPLACE ("
        "toDateTime(second, 'UTC') AS at, at AS first_at,"
        " if(second = toUnixTimestamp(from), min, currently_licensed) AS min,"
        " if(second = toUnixTimestamp(from), max, currently_licensed) AS max,"
        " if(second = toUnixTimestamp(from), avg, currently_licensed) AS avg) FROM ("
        f" SELECT *, at AS from, leadInFrame(toUnixTimestamp(at), 1, toUInt32({until_s})) OVER"
        " (PARTITION BY tenant ORDER BY at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next"
        f" FROM license_counts_hourly FINAL) ARRAY JOIN range(toUnixTimestamp(from), next, {_HOUR_S}) AS second"
    )
    client.command(
        f"INSERT INTO license_counts_hourly SELECT * EXCEPT (copy, from) REPLACE ({name}) {each}"
        " (SELECT * FROM every_hour ORDER BY tenant, at) AS rows"
    )
    client.command("DROP TABLE every_hour")


def _is_merged(pool: ClientPool) -> bool:
    with pool.lease() as client:
        return not client.query("SELECT 1 FROM system.merges LIMIT 1").result_rows


def main() -> None:
    """Serve a portal with such a provider until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.provider", description=__doc__)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt), open_stage(quick=False) as stage:
        prefix = stage.new_topics()
        print("filling ...")
        provider = fill(stage, prefix, arguments.tenants)
        with stage.child("portal", prefix=prefix, port=arguments.port, cores=0):
            print(f"{provider.tenants:,} tenants at http://{HOST}:{arguments.port}/")
            signal.pause()


if __name__ == "__main__":
    main()
