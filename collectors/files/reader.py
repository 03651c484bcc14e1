"""Owns the reading of a table by its format: a pure generator from text to rows, rejected rows and remarks."""

from collections.abc import Iterator

import msgspec

from collectors.files.dial_plan import DIAL_PLAN
from collectors.files.formats import Format, ReadOptions, RowReader, choose
from collectors.files.m365 import M365
from collectors.files.numbers import NUMBERS
from collectors.files.rows import Rejected, Remark, Row, RowRejectedError
from collectors.files.table import Table
from collectors.files.text import TextFile
from collectors.files.users import USERS
from schemas.events import MAX_FACTS_BYTES, FacetName

FORMATS: dict[str, tuple[Format, ...]] = {
    # A table of users is an admin-centre export if it names licences, a table of numbers a dial plan if it names tags.
    "users": (M365, USERS),
    "numbers": (NUMBERS, DIAL_PLAN),
    "dial-plan": (DIAL_PLAN,),
    "m365": (M365,),
}
"""Formats by kind of import, in the order they are tried."""

_SUSPICIOUS_CELL_CHARS = 8_000


class TableFile:
    """An open table with its format. `rows` may be read once."""

    def __init__(self, file: TextFile, kind: str, options: ReadOptions) -> None:
        """Read the head. Raises ImportRefusedError if its columns are none of those looked for."""
        self.file = file
        self._table = Table(file)
        self.format = choose(FORMATS[kind], self._table.columns, file.path)
        self.facets: frozenset[FacetName] = self.format.facets(self._table.columns)
        self._read: RowReader = self.format.reader(self._table.columns, options)

    def rows(self) -> Iterator[Row | Rejected]:
        """Give out every row of the file: read, or rejected with its line."""
        for item in self._table.rows():
            yield item if isinstance(item, Rejected) else self._row(*item)

    def _row(self, line: int, cells: list[str]) -> Row | Rejected:
        remarks: list[Remark] = []
        try:
            observations = self._read(cells, remarks)
        except RowRejectedError as rejected:
            return Rejected(line, str(rejected))
        if max(map(len, cells)) > _SUSPICIOUS_CELL_CHARS:
            for observation in observations:
                known = {name: value for name, value in observation.facts.items() if value is not None}
                size = len(msgspec.json.encode(known))
                if size > MAX_FACTS_BYTES:
                    reason = f"facts of {size:,} bytes for {observation.facet}; at most {MAX_FACTS_BYTES:,} are taken"
                    return Rejected(line, reason)
        return Row(line, tuple(observations), tuple(remarks))
