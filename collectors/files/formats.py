"""Owns the choice of the format of a table by its columns, and the refusal of a table of none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collectors.errors import ImportRefusedError
from collectors.files.rows import Observation, Remark
from collectors.files.table import Columns
from schemas.events import FacetName


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What changes the reading: the number type that is assumed (None: none), and whether ranges become single
    numbers."""

    assume_number_type: str | None = None
    expand_ranges: bool = False


RowReader = Callable[[list[str], list[Remark]], list[Observation]]
"""Reads the cells of one row, appends to the remarks. Raises RowRejectedError."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of table. Of each group in `needs` one column must be there; `facets` are what these columns can feed."""

    name: str
    source: str
    needs: tuple[tuple[str, ...], ...]
    facets: Callable[[Columns], frozenset[FacetName]]
    reader: Callable[[Columns, ReadOptions], RowReader]

    def fits(self, columns: Columns) -> bool:
        return all(columns.has_any(group) for group in self.needs)

    def described(self) -> str:
        return f"{self.name}: " + ", ".join(" or ".join(group) for group in self.needs)


def choose(formats: Sequence[Format], columns: Columns, path: object) -> Format:
    """Return the first format that fits. Raises ImportRefusedError with the columns found and those looked for."""
    for candidate in formats:
        if candidate.fits(columns):
            return candidate
    looked_for = "; ".join(candidate.described() for candidate in formats)
    raise ImportRefusedError(
        f"{path} has other columns than those looked for. Found: {columns.described()}. Looked for {looked_for}."
        " Check that this is the right file for the command, and that it was exported with its header"
    )
