"""Files are streamed: what is held does not grow with the file."""

import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.importer import ImportKind
from tests.unit.collectors.importing import EXPORTED_AT, imported

ROWS = 12_000
BOUND_BYTES = 3 * 1024 * 1024


def users() -> Iterator[str]:
    yield "ObjectId,DisplayName,EnterpriseVoiceEnabled,AssignedPlan\n"
    for n in range(ROWS):
        yield f'a0000000-0000-4000-8000-{n:012d},"User {n}",True,"{"TEAMS1;MCOSTANDARD;" * 20}"\n'


def lines_of_events() -> Iterator[str]:
    for n in range(ROWS):
        facts = {"display_name": f"User {n} " + "n" * 300}
        yield json.dumps({
            "type": "directory", "tenant": "acme", "subject": f"user:u{n}", "observed_at": "2026-11-24T10:00:00Z",
            "facts": facts,
        }) + "\n"  # fmt: skip


def one_long_line() -> Iterator[str]:
    yield "["
    for n, line in enumerate(lines_of_events()):
        yield ("," if n else "") + line.rstrip()
    yield "]"


@pytest.mark.parametrize(
    ("kind", "content"),
    [("users", users), ("events", lines_of_events), ("events", one_long_line)],
    ids=("users", "lines", "one line"),
)
def test_a_big_file_is_not_read_into_memory(kind: ImportKind, content: object, tmp_path: Path) -> None:
    path = tmp_path / "big"
    with path.open("w") as file:
        file.writelines(content())  # type: ignore[operator]
    os.utime(path, (EXPORTED_AT.timestamp(), EXPORTED_AT.timestamp()))
    assert path.stat().st_size > 1.3 * BOUND_BYTES
    tracemalloc.start()
    try:
        summary = imported(kind, path, dry_run=True, partial=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (ROWS, 0) == (summary.read, summary.rejected)
    assert peak < BOUND_BYTES
