"""A batch is stored whatever happens: bad rows are found and handed on, an absent ClickHouse is waited for."""

from itertools import repeat

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from streams.sink.processors import Batch
from streams.sink.retry import LONGEST_PAUSE_S, classify, pauses
from streams.sink.storing import Storing
from tests.support.sinking import FailingRows, MemoryDeadLetters, MemoryRecord, MemoryRows


def _batch(*values: bytes) -> Batch:
    batch = Batch("seat_changes")
    for offset, value in enumerate(values):
        batch.add(value, MemoryRecord("seat-changes", value, offset=offset))
    return batch


async def test_bad_rows_become_dead_letters_and_their_neighbours_are_stored_in_order() -> None:
    rows, letters = MemoryRows(), MemoryDeadLetters()
    values = [b"row %d" % n for n in range(1_000)]
    values[0] = values[500] = values[999] = b"poison"
    await Storing(rows, letters).store(_batch(*values))
    assert [value for value in values if value != b"poison"] == rows.tables["seat_changes"]
    assert [0, 500, 999] == [record.offset for record, _, _ in letters.letters]
    assert {"not_storable"} == {reason for _, reason, _ in letters.letters}


async def test_while_clickhouse_is_away_nothing_is_lost_and_nothing_is_a_dead_letter() -> None:
    rows, letters = MemoryRows(), MemoryDeadLetters()
    storing = Storing(FailingRows(rows, failures=50), letters, lambda: repeat(0.0))
    await storing.store(_batch(b"1", b"2"))
    assert [b"1", b"2"] == rows.tables["seat_changes"]
    assert [] == letters.letters


async def test_a_wrong_set_up_ends_the_sink_and_drops_nothing() -> None:
    letters = MemoryDeadLetters()
    error = DatabaseError("Code: 60. UNKNOWN_TABLE", code=60)
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
        await Storing(FailingRows(MemoryRows(), 1, error), letters).store(_batch(b"1"))
    assert [] == letters.letters


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (DatabaseError("parse", code=27), "bisect"),
        (DatabaseError("constraint", code=469), "bisect"),
        (DatabaseError("too many parts", code=252), "retry"),
        (DatabaseError("no space", code=243), "retry"),
        (DatabaseError("unheard of", code=99_999), "retry"),
        (DatabaseError("no table", code=60), "fatal"),
        (OperationalError("refused"), "retry"),
        (ConnectionResetError(), "retry"),
        (TypeError("ours"), "fatal"),
    ],
)
def test_each_failure_has_one_action(error: Exception, action: str) -> None:
    assert action == classify(error)


def test_pauses_grow_to_a_limit_and_never_end() -> None:
    found = [pause for pause, _ in zip(pauses(), range(100), strict=False)]
    assert found[0] < 1 < LONGEST_PAUSE_S / 2 <= max(found) <= LONGEST_PAUSE_S
