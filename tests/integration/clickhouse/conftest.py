"""A migrated database of its own for each test, behind a pool of clients."""

from collections.abc import Iterator

import clickhouse_connect
import pytest

from portal.store.store import ClickHouseStore
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import ClientPool
from runtime.settings import Retention
from streams.sink.clickhouse import ClickHouseRows
from tests.support.engine import ClickHouse, Database
from tests.support.sinking import instant

# Rows of the tests lie where the tests' clock is; none of them may expire.
KEEP_ALL = Retention(counts_days=36_500, hourly_days=36_500, daily_days=36_500, changes_days=36_500)


@pytest.fixture
def empty_pool(clickhouse: ClickHouse, database: Database) -> Iterator[ClientPool]:
    with ClientPool(lambda: clickhouse_connect.get_client(**clickhouse.connection, database=database.name)) as pool:
        yield pool


@pytest.fixture
def pool(empty_pool: ClientPool) -> ClientPool:
    migrate(empty_pool, KEEP_ALL)
    return empty_pool


@pytest.fixture
def rows(pool: ClientPool) -> ClickHouseRows:
    return ClickHouseRows(pool)


@pytest.fixture
def store(pool: ClientPool) -> ClickHouseStore:
    return ClickHouseStore(pool, lambda: instant(400 * 86_400))
