"""Clients of one ClickHouse: side by side in threads, and one process a data directory."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr

from portal.store.store import ClickHouseStore
from runtime.clickhouse import lock
from runtime.clickhouse.errors import StorageInUseError, StorageUnreachableError
from runtime.clickhouse.migrate import packaged
from runtime.clickhouse.pool import ClientPool, open_pool
from runtime.settings import ClickHouse
from streams.sink.clickhouse import ClickHouseRows
from tests.support.sinking import change, instant


def test_readers_see_whole_blocks_while_a_writer_inserts(rows: ClickHouseRows, store: ClickHouseStore) -> None:
    blocks, size = 20, 500
    done = threading.Event()

    def write() -> None:
        for block in range(blocks):
            rows.insert(
                "seat_changes", [msgspec.json.encode(change(f"user:{block:02d}-{n:03d}", 1)) for n in range(size)]
            )
        done.set()

    def read() -> list[int]:
        seen = []
        while not done.is_set():
            seen.append(len(store.profiles("contoso")))
        return [*seen, len(store.profiles("contoso"))]

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        threads.submit(write).result()
    for reader in readers:
        seen = reader.result()
        assert sorted(seen) == seen
        assert {0} == {number % size for number in seen}
        assert blocks * size == seen[-1]


def test_a_stream_that_is_not_read_to_its_end_blocks_nobody(
    pool: ClientPool, rows: ClickHouseRows, store: ClickHouseStore
) -> None:
    rows.insert("seat_changes", [msgspec.json.encode(change(f"user:{n}", 1, facts="{}")) for n in range(1_000)])
    facts = store.all_facts("contoso")
    next(facts)
    assert 1_000 == len(store.profiles("contoso"))
    facts.close()  # type: ignore[attr-defined]  # a generator
    assert 1_000 == len(list(store.all_facts("contoso")))


def test_readers_without_a_pause_do_not_starve_a_writer(pool: ClientPool) -> None:
    """All share one client: each waits for its turn, and nobody is passed over."""
    with ClientPool(pool._connect, size=1) as narrow:
        store, rows = ClickHouseStore(narrow, lambda: instant(0)), ClickHouseRows(narrow)
        done = threading.Event()

        def read() -> int:
            times = 0
            while not done.is_set():
                store.profiles("contoso")
                times += 1
            return times

        with ThreadPoolExecutor(3) as threads:
            readers = [threads.submit(read) for _ in range(2)]
            try:
                for number in range(20):
                    writing = threads.submit(
                        rows.insert, "seat_changes", [msgspec.json.encode(change(f"user:{number}", 1))]
                    )
                    writing.result(timeout=10)
            finally:
                done.set()
        assert all(reader.result() for reader in readers)


def test_a_closed_pool_says_so(pool: ClientPool) -> None:
    pool.close()
    with pytest.raises(StorageUnreachableError, match="clients were closed"), pool.lease():
        pass


HOLD = """
import sys
from pathlib import Path
from runtime.clickhouse import lock
lock.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_directory_that_another_process_uses_is_refused_with_its_number(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdin
        assert "held\n" == other.stdout.readline()
        with pytest.raises(StorageInUseError, match=f"in use by process {other.pid}: stop that process"):
            open_pool(ClickHouse(data=tmp_path))
        other.stdin.close()
        other.wait(20)
    lock.hold(tmp_path)
    lock.let_go(tmp_path)


def test_a_server_that_is_not_there_is_named_with_what_to_check() -> None:
    with pytest.raises(
        StorageUnreachableError, match=r"127\.0\.0\.1:9 cannot be opened: .*POOLWATCH_CLICKHOUSE_URL"
    ) as caught:
        open_pool(ClickHouse(url=SecretStr("http://ana:secret@127.0.0.1:9/")))
    assert "secret" not in str(caught.value)


OPEN = """
import sys
from pathlib import Path
from runtime.clickhouse.migrate import migrate
from runtime.clickhouse.pool import open_pool
from runtime.settings import ClickHouse, Retention
for _ in range(2):
    with open_pool(ClickHouse(data=Path(sys.argv[1]))) as pool:
        print(len(migrate(pool, Retention())))
with open_pool(ClickHouse(data=Path(sys.argv[1] + "-other"))) as pool:
    print(len(migrate(pool, Retention())))
"""


def test_the_engine_in_process_opens_migrates_closes_and_opens_again(tmp_path: Path) -> None:
    """In a process of its own: one serves one directory at a time, and this one has the engine of the tests."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(tmp_path / "data")], check=False, capture_output=True, text=True, timeout=60
    )
    every = str(len(packaged()))
    numbers = [line for line in done.stdout.splitlines() if line.isdigit()]
    assert [every, "0", every] == numbers, done.stderr
