"""A table that a spreadsheet or PowerShell could have written reads as it was, each row with the line it starts on."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collectors.files.rows import Rejected
from collectors.files.table import Table
from collectors.files.text import open_text

CELLS = st.text(st.sampled_from("aé€😀 ,;\t\"'\n#0"), max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8)


def _read(path: Path) -> list[tuple[int, list[str]]]:
    file = open_text(path)
    try:
        rows = []
        for row in Table(file).rows():
            assert not isinstance(row, Rejected)
            rows.append(row)
        return rows
    finally:
        file.close()


@given(
    ROWS,
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.booleans(),
)
def test_what_was_written_is_read(
    rows: list[tuple[str, str, str]], delimiter: str, line_end: str, encoding: str, typed: bool
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    if typed:
        text.write("#TYPE Selected.User" + line_end)
    writer.writerow(["ObjectId", "Display name", "Third"])
    lines = []
    for row in rows:
        lines.append(text.getvalue().count("\n") + 1)
        writer.writerow(row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        read = _read(path)
    assert [list(row) for row in rows] == [cells for _, cells in read]
    assert lines == [line for line, _ in read]
