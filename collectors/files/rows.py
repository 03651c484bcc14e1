"""Owns what readers of files give out: rows with what they say, and rejected ones with line and reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from schemas.events import FacetName

RemarkKind = Literal[
    "not_expanded",  # a column holds System.Object[]; detail: the column
    "number_type_unknown",  # a user has a number whose type the file does not tell
    "not_primary",  # a number that is not its holder's primary one
    "status_unknown",  # a number with an assignment status that is not known; detail: the status
    "teams_phone_plan",  # a user whose plans name Teams Phone
    "unknown_product",  # a product name that the table does not hold; detail: the name
]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a row says of one facet of one subject. `assumed`: not said by the file but by the person who imports it."""

    facet: FacetName
    subject: str
    facts: Mapping[str, Any]
    assumed: bool = False


class Remark(NamedTuple):
    """Something the summary tells of a row."""

    kind: RemarkKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A good row, the line it starts on, and what it says; a row may say nothing."""

    line: int
    observations: tuple[Observation, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A good event of an events file, encoded, with what it is about (`subject` None: a sync or a confirmation), and
    how many facts of it were left out because no schema names them."""

    line: int
    tenant: str
    facet: str
    subject: str | None
    observed_at: datetime
    value: bytes
    unknown_facts: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row or event that was refused: the line it starts on, and why in words."""

    line: int
    reason: str


class RowRejectedError(Exception):
    """Raised by the reader of one row; the text is the reason."""
