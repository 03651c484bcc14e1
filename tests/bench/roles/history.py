"""A year of many tenants in the engine in process, and how fast the store answers one tenant's year."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from licensing.factors import FACTORS
from portal.answers.ranges import choose_step
from portal.store.store import ClickHouseStore
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.logging import configure
from runtime.settings import ClickHouse, Log, Retention
from streams.garbage import collect_rarely

QUESTIONS = 100
_WARM_UP = 20
_RAW_DAYS = 85
_FACTOR_COLUMNS = [f"{factor.name}_{what}" for factor in FACTORS for what in ("counted", "matched")]

log = structlog.get_logger()


def fill(pool: ClientPool, tenants: int, raw_tenants: int, raw_rows: int, now: datetime) -> int:
    """Insert hours and days of a year for all tenants, and so many raw rows for some; return the number of rows."""
    end_s = int(now.timestamp()) // 86_400 * 86_400
    names = ", ".join(_FACTOR_COLUMNS)
    zeros = ", ".join(["10"] * len(_FACTOR_COLUMNS))
    with pool.lease() as client:
        for table, step_s in (("license_counts_hourly", 3_600), ("license_counts_daily", 86_400)):
            per_tenant = 365 * 86_400 // step_s
            client.command(
                f"INSERT INTO {table} (tenant, at, first_at, min, max, avg, currently_licensed, acquired_licenses,"
                f" user_licenses, dr_phone_licenses, enabled, {names}, demo, rolled_at)"
                f" SELECT concat('tenant-', toString(intDiv(number, {per_tenant}))) AS tenant,"
                f" toDateTime({end_s} - {365 * 86_400} + (number % {per_tenant}) * {step_s}, 'UTC') AS at, at,"
                " number % 97 AS low, low + 20, low + 10, low + number % 20, 500, 400, 300, 31,"
                f" {zeros}, false, now64(3) FROM numbers({tenants * per_tenant})"
            )
        each = raw_rows // raw_tenants
        step_s = _RAW_DAYS * 86_400 // each
        client.command(
            "INSERT INTO license_counts (tenant, at, epoch, version, settings_revision, computed_at, stale,"
            " acquired_licenses, currently_licensed, min, max, user_licenses, dr_phone_licenses, enabled,"
            f" {names}, profiles, cause, subjects_gained, subjects_lost, demo)"
            f" SELECT concat('tenant-', toString(intDiv(number, {each}))),"
            f" toDateTime({end_s} - {_RAW_DAYS * 86_400} + (number % {each}) * {step_s}, 'UTC') AS at, 1, number + 1,"
            " 1, at, false, 500, number % 97 AS low, low, low + 5, 400, 300, 31,"
            f" {zeros}, map(65, 200, 66, 100), 'users', 1, 0, false FROM numbers({each * raw_tenants})"
        )
        closed = f"toDateTime({end_s}, 'UTC')"
        for table in ("license_counts_hourly", "license_counts_daily"):
            client.command(f"INSERT INTO rollup_progress SELECT '{table}', {closed}, {closed}")
    return tenants * 365 * 25 + each * raw_tenants


def run(arguments: dict[str, Any]) -> None:
    """Fill, ask for the years of different tenants, log the milliseconds of each answer."""
    now = datetime.now(UTC)
    tenants = arguments["tenants"]
    with open_pool(ClickHouse(data=Path(arguments["folder"]) / "history")) as pool:
        migrate(pool, Retention())
        begin = time.monotonic()
        rows = fill(pool, tenants, arguments["raw_tenants"], arguments["raw_rows"], now)
        log.info("bench_filled", rows=rows, seconds=round(time.monotonic() - begin, 1))
        store, since = ClickHouseStore(pool, lambda: datetime.now(UTC)), now - timedelta(days=365)
        collect_rarely()  # as the portal does
        step_s, milliseconds, points = choose_step(None, since, now), [], 0
        for number in range(_WARM_UP + QUESTIONS):
            began = time.perf_counter()
            points = len(store.buckets(f"tenant-{number * 7 % tenants}", since, now, step_s))
            milliseconds.append(1_000 * (time.perf_counter() - began))
    log.info("bench_answers", milliseconds=milliseconds[_WARM_UP:], points=points, rows=rows, step_s=step_s)


if __name__ == "__main__":
    configure(Log(level="info", format="json"))
    run(json.loads(sys.argv[1]))
