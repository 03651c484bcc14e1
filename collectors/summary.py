"""Owns the summary of an import: what was read, published, rejected and synced, and what a person should know of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from collectors.files.rows import Rejected, Remark
from collectors.publisher import Offsets
from collectors.sync import SyncResult
from schemas.times import format_time

MAX_LISTED = 100
MAX_REMARKS = 1_000
_MAX_NAMED = 20


@dataclass(frozen=True, slots=True)
class LineNote:
    """Something about one line of a file."""

    file: Path
    line: int
    reason: str


@dataclass(slots=True)
class ImportSummary:
    """What an import did. Counts are whole; of lists of lines the first MAX_LISTED are kept.

    `read`: rows or events; `published`: events, in a dry run those that would have been; `ignored` and
    `ignored_assumed`: those of them that are not counted, for they were observed, or assumed, up to the tenant's
    removal; `unknown_facts`: facts that no schema names, left out; `offsets`: where the last events lie, for whoever
    waits until they are on disk.
    """

    dry_run: bool
    read: int = 0
    published: int = 0
    by_facet: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    rejections: list[LineNote] = field(default_factory=list)
    duplicates: int = 0
    warnings: list[LineNote] = field(default_factory=list)
    unknown_products: dict[str, int] = field(default_factory=dict)
    number_type_unknown: int = 0
    ignored: int = 0
    ignored_assumed: int = 0
    unknown_facts: int = 0
    syncs: list[SyncResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    offsets: Offsets = field(default_factory=dict)
    remarks: dict[Remark, int] = field(default_factory=dict)

    def publish(self, counted_as: str) -> None:
        """Count a published event by its facet."""
        self.published += 1
        self.by_facet[counted_as] = self.by_facet.get(counted_as, 0) + 1

    def remark(self, remark: Remark) -> None:
        """Count a remark. Names come from the file: beyond MAX_REMARKS different ones they are counted together."""
        if remark not in self.remarks and len(self.remarks) >= MAX_REMARKS:
            remark = Remark(remark.kind, "others")
        self.remarks[remark] = self.remarks.get(remark, 0) + 1

    def reject(self, file: Path, rejected: Rejected) -> None:
        """Count a rejected row; keep its line and reason if it is among the first."""
        self.rejected += 1
        if len(self.rejections) < MAX_LISTED:
            self.rejections.append(LineNote(file, rejected.line, rejected.reason))

    def repeat(self, file: Path, line: int, subject: str) -> None:
        """Count a row whose subject has come before."""
        self.duplicates += 1
        if len(self.warnings) < MAX_LISTED:
            self.warnings.append(LineNote(file, line, f"{subject} has come before; the last row wins"))

    def ignore(self, *, assumed: bool) -> None:
        """Count a published event that the tenant's removal keeps from being counted."""
        if assumed:
            self.ignored_assumed += 1
        else:
            self.ignored += 1

    def conclude(self, floor: datetime | None) -> None:
        """Put the remarks of all rows into words. `floor`: when the tenant was removed, if it ever was."""
        for remark, count in sorted(self.remarks.items()):
            if remark.kind == "unknown_product":
                self.unknown_products[remark.detail] = count
                continue
            if remark.kind == "number_type_unknown":
                self.number_type_unknown = count
            self.notes.append(_worded(remark, count))
        if self.unknown_products:
            self.notes.append(_unknown_products(self.unknown_products))
        if self.duplicates:
            repeat = "1 row repeats" if self.duplicates == 1 else f"{self.duplicates:,} rows repeat"
            self.notes.append(f"{repeat} a subject of an earlier row: the last one wins")
        if self.unknown_facts:
            facts = (
                "1 fact that no schema names was"
                if self.unknown_facts == 1
                else (f"{self.unknown_facts:,} facts that no schema names were")
            )
            self.notes.append(f"{facts} left out: docs/schemas lists those that are known")
        if floor is not None:
            self.notes += _below(floor, self.ignored, self.ignored_assumed)


def _worded(remark: Remark, count: int) -> str:
    rows = f"{count:,} row" + ("s" if count != 1 else "")
    match remark.kind:
        case "not_expanded":
            return (
                f"{rows}: {remark.detail} holds System.Object[] or the like, a list that was not expanded, and was left"
                f" out: export it with @{{n='{remark.detail}';e={{$_.{remark.detail} -join ';'}}}}"
            )
        case "number_type_unknown":
            return (
                f"{rows} with a number whose type this file does not tell: import the numbers as well, or pass"
                " --assume-number-type directRouting (callingPlan, operatorConnect)"
            )
        case "not_primary":
            return f"{rows} with a number that is not its holder's primary one: left out"
        case "status_unknown":
            return f"{rows}: the PstnAssignmentStatus {remark.detail!r} is not known and feeds nothing"
        case "teams_phone_plan":
            return f"{rows} whose plans name Teams Phone: import the Microsoft 365 users to count them as licensed"
        case "unknown_product":
            raise ValueError("unknown products are told together")


def _below(floor: datetime, ignored: int, assumed: int) -> Iterator[str]:
    removed = f"nothing counts that was observed up to {format_time(floor)}, when the tenant was removed"
    if ignored:
        yield (
            f"{_events(ignored)} observed too early and will be ignored: {removed}. If the file was exported later,"
            " import it again with --observed-at and that time; otherwise export anew"
        )
    if assumed:
        yield (
            f"{_events(assumed)} assumed by --assume-number-type, which has the time 1970, and will be ignored:"
            f" {removed}. Import the numbers instead (`poolwatch import numbers`)"
        )


def _events(count: int) -> str:
    return "1 event was" if count == 1 else f"{count:,} events were"


def _unknown_products(products: dict[str, int]) -> str:
    named = ", ".join(f"{name!r} ({count:,})" for name, count in list(products.items())[:_MAX_NAMED])
    more = len(products) - _MAX_NAMED
    return f"products that are not known count as a licence and not as Teams Phone: {named}" + (
        f" and {more:,} more" if more > 0 else ""
    )
