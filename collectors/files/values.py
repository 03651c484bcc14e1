"""Owns the reading of single fields: texts, booleans, lists, phone numbers and ids."""

import re
from collections.abc import Callable

from collectors.files.rows import Remark, RowRejectedError
from collectors.files.table import Columns
from schemas.identifiers import is_number, is_user

Cells = list[str]
TextOf = Callable[[Cells, list[Remark]], str | None]

# What Export-Csv writes for a list that was not expanded: the name of its type instead of its values.
_TYPE_NAME = re.compile(r"System\.[\w.]+(\[\]|`\d+\[.*\])", re.ASCII)
_SEPARATORS = re.compile(r"[,;\s]+")
_SPACING = re.compile(r"[\s()./]")


def text_of(columns: Columns, name: str) -> TextOf:
    """Return a reader of a column: its text, None where it is empty, the column is missing or a list was not
    expanded."""
    place = columns.place(name)

    def read(cells: Cells, remarks: list[Remark]) -> str | None:
        if place is None:
            return None
        text = cells[place].strip()
        if text.startswith("System.") and _TYPE_NAME.fullmatch(text):
            remarks.append(Remark("not_expanded", name))
            return None
        return text or None

    return read


def boolean(text: str | None, name: str) -> bool | None:
    """Return True, False or None (empty). Raises RowRejectedError for anything else."""
    if text is None:
        return None
    lowered = text.lower()
    if lowered == "true":
        return True
    if lowered == "false":
        return False
    raise RowRejectedError(f"{name} is {text[:40]!r}, which is neither True nor False")


def split_list(text: str | None) -> list[str]:
    """Return the values of a list field, parted by `,` `;` or spaces."""
    return [value for value in _SEPARATORS.split(text or "") if value]


def user_subject(text: str | None, name: str) -> str:
    """Return `user:<id>` in lower case. Raises RowRejectedError if there is no id, or none that can be one."""
    if text is None:
        raise RowRejectedError(f"no id: {name} is empty")
    subject = f"user:{text.lower()}"
    if not is_user(subject):
        raise RowRejectedError(
            f"{name} is {text[:80]!r}, which is not an id (up to 128 characters without spaces and slashes)"
        )
    return subject


def phone_number(text: str | None) -> str | None:
    """Return the number of a `tel:` URI or a written number, without extension, spaces and brackets; None if empty."""
    if text is None:
        return None
    number = text.split(";", 1)[0]
    if number[:4].lower() == "tel:":
        number = number[4:]
    return _SPACING.sub("", number) or None


def number_subject(text: str | None, name: str) -> str:
    """Return `number:<number>`. Raises RowRejectedError if there is none, or nothing that can be one."""
    number = phone_number(text)
    if number is None:
        raise RowRejectedError(f"no number: {name} is empty")
    subject = f"number:{number.lower()}"
    if not is_number(subject):
        raise RowRejectedError(f"{name} is {number[:80]!r}, which is not a number (at most 64 of digits and +*x[],-)")
    return subject
