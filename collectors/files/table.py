"""Owns the reading of delimited text: delimiter and columns from the head, rows with the line they start on."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from collectors.errors import ImportRefusedError
from collectors.files.rows import Rejected
from collectors.files.text import TextFile, is_undecodable

_DELIMITERS = ",;\t"
_SHOWN_COLUMNS = 40


class Columns:
    """The columns of a file, found whatever their case and spaces: `User principal name` is `UserPrincipalName`."""

    def __init__(self, names: Sequence[str], path: Path) -> None:
        self._path = path
        self.names = [name.strip() for name in names]
        self._places: dict[str, int] = {}
        self._twice: set[str] = set()
        for place, name in enumerate(self.names):
            folded = _fold(name)
            if folded in self._places:
                self._twice.add(folded)
            self._places.setdefault(folded, place)

    def __contains__(self, name: str) -> bool:
        return _fold(name) in self._places

    def has_any(self, names: Sequence[str]) -> bool:
        return any(name in self for name in names)

    def place(self, name: str) -> int | None:
        """Return the place of a column, None if the file has none of that name. Raises ImportRefusedError if it has
        two."""
        folded = _fold(name)
        if folded in self._twice:
            raise ImportRefusedError(
                f"{self._path} has the column {name} twice: export it again, or remove one of them"
            )
        return self._places.get(folded)

    def described(self) -> str:
        shown = ", ".join(name[:60] for name in self.names[:_SHOWN_COLUMNS])
        return shown + (", …" if len(self.names) > _SHOWN_COLUMNS else "")


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Table:
    """A delimited file whose first line names the columns. `rows` may be read once."""

    def __init__(self, file: TextFile) -> None:
        """Read the head of the file. Raises ImportRefusedError if it has no line with columns."""
        self._lines = file.lines()
        self._skipped_lines = 0
        head = next(self._lines, "")
        # Windows PowerShell writes the type of the objects first unless it is told not to.
        if head.lstrip('"').startswith("#TYPE"):
            self._skipped_lines = 1
            head = next(self._lines, "")
        if not head.strip():
            raise ImportRefusedError(f"{file.path} has no line that names its columns: export it with its header")
        self._delimiter = max(_DELIMITERS, key=lambda delimiter: len(_cells(head, delimiter)))
        self._head = head
        self.columns = Columns(_cells(head, self._delimiter), file.path)

    def rows(self) -> Iterator[tuple[int, list[str]] | Rejected]:
        """Give out each row with its line, or the line and why it was refused."""
        reader = csv.reader(chain([self._head], self._lines), delimiter=self._delimiter, strict=True)
        next(reader)
        width = len(self.columns.names)
        while True:
            line = self._skipped_lines + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Rejected(
                    line, f"not a row of a table ({error}): check its quotes, which are doubled inside a quoted field"
                )
                continue
            if not cells:
                continue
            if len(cells) != width:
                yield Rejected(line, f"{len(cells)} fields where the header has {width}")
            elif is_undecodable("".join(cells)):
                yield Rejected(line, "bytes that are not valid text: export as UTF-8 or UTF-16 (-Encoding UTF8)")
            else:
                yield line, cells


def _cells(head: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([head.rstrip("\r\n")], delimiter=delimiter, strict=True))
    except csv.Error:
        return []
