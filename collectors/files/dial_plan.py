"""Owns the format of an SBC dial plan (`DialPlanName,Name,Prefix,Tag`): a rule is a service number."""

import re
from itertools import product

from collectors.files.formats import Format, ReadOptions, RowReader
from collectors.files.rows import Observation, Remark, RowRejectedError
from collectors.files.table import Columns
from collectors.files.values import number_subject, text_of
from schemas.events import FacetName

MAX_EXPANDED = 10_000
_PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_SPAN = re.compile(r"(\d+)(?:-(\d+))?", re.ASCII)


def _facets(_columns: Columns) -> frozenset[FacetName]:
    return frozenset({"dial_plan"})


def expand(prefix: str) -> list[str]:
    """Return the numbers of a prefix with ranges, `1555[0100-0119]`; wildcards stay. Raises RowRejectedError."""
    if prefix.count("[") != prefix.count("]") or "".join(part.group() for part in _PART.finditer(prefix)) != prefix:
        raise RowRejectedError(f"Prefix {prefix!r} has a bracket without its partner")
    parts: list[list[str]] = []
    numbers = 1
    for part in _PART.finditer(prefix):
        parts.append([part[2]] if part[1] is None else _choices(part[1], prefix))
        numbers *= len(parts[-1])
        if numbers > MAX_EXPANDED:
            raise _too_many(prefix)
    return ["".join(choice) for choice in product(*parts)]


def _choices(inside: str, prefix: str) -> list[str]:
    choices: list[str] = []
    for span in inside.split(","):
        found = _SPAN.fullmatch(span)
        if found is None:
            raise RowRejectedError(f"Prefix {prefix!r}: [{inside}] is not a range such as [0100-0119]")
        low, high = found[1], found[2] or found[1]
        if len(low) != len(high) or low > high:
            raise RowRejectedError(f"Prefix {prefix!r}: {span} does not run upwards between ends of one length")
        if int(high) - int(low) >= MAX_EXPANDED:
            raise _too_many(prefix)
        choices += [f"{number:0{len(low)}d}" for number in range(int(low), int(high) + 1)]
    return choices


def _too_many(prefix: str) -> RowRejectedError:
    return RowRejectedError(f"Prefix {prefix!r} stands for more than {MAX_EXPANDED:,} numbers: import it as one rule")


def _reader(columns: Columns, options: ReadOptions) -> RowReader:
    prefix_of, tag, name = text_of(columns, "Prefix"), text_of(columns, "Tag"), text_of(columns, "Name")

    def read(cells: list[str], remarks: list[Remark]) -> list[Observation]:
        prefix = (prefix_of(cells, remarks) or "").removesuffix("#")
        rule = number_subject(prefix or None, "Prefix").removeprefix("number:")
        facts = {"tag": tag(cells, remarks), "name": name(cells, remarks)}
        numbers = expand(rule) if options.expand_ranges else [rule]
        return [Observation("dial_plan", f"number:{number}", {"number": number, **facts}) for number in numbers]

    return read


DIAL_PLAN = Format("dial plan", "dial-plan-file", (("Prefix",), ("Tag",)), _facets, _reader)
