"""Owns the CSV exports: their columns, and the way through all pages of a list without holding more than one."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from licensing.factors import FACTORS
from portal.answers.changes import Item, Place, every_change, list_changes
from portal.answers.context import Context
from portal.answers.csv_lines import csv_lines
from portal.answers.history import History, points
from portal.answers.seats import list_seats

SEATS = ("subject", "display_name", "user_principal_name", "factor", "matched", "since")
CHANGES = (
    "at", "kind", "subject", "from_factor", "to_factor", "cause", "facet", "source", "revision", "subjects", "gained",
    "lost", "moved",
)  # fmt: skip
_LICENSED = ("min", "max", "last", "avg")
_PLAIN = ("acquired_licenses", "available_licenses", "user_licenses", "dr_phone_licenses")
_OF_FACTOR = tuple((factor.name, part) for factor in FACTORS for part in ("counted", "matched"))

PAGE = 1_000


async def seats_csv(
    context: Context, tenant: str, *, at: datetime | None, factor: str, search: str | None
) -> AsyncIterator[str]:
    """Yield all seats that match as CSV, a page at a time; the line of names comes with the first."""
    masks = await context.read(lambda: context.masks_of(tenant))

    def read(after: str) -> list[dict[str, Any]]:
        store = context.services.store
        return list_seats(store, tenant, masks, at=at, factor=factor, search=search, after=after, limit=PAGE)

    found = await context.read(lambda: read(""))
    yield csv_lines([SEATS, *_seat_rows(found)])
    while len(found) == PAGE:
        found = await context.read(lambda after=found[-1]["subject"]: read(after))  # type: ignore[misc]  # bound now
        yield csv_lines(_seat_rows(found))


async def changes_csv(
    context: Context, tenant: str, start: datetime, end: datetime, wanted: Callable[[Item], bool] = every_change
) -> AsyncIterator[str]:
    """Yield all wanted changes of [start, end) as CSV, likewise, oldest first."""
    masks = await context.read(lambda: context.masks_of(tenant))

    def read(after: Place | None) -> list[Item]:
        return list_changes(context.services.store, tenant, masks, start, end, after, PAGE, wanted=wanted)

    found = await context.read(lambda: read(None))
    yield csv_lines([CHANGES, *_change_rows(found)])
    while len(found) == PAGE:
        found = await context.read(lambda after=found[-1].place: read(after))  # type: ignore[misc]  # bound now
        yield csv_lines(_change_rows(found))


def history_csv(history: History) -> str:
    """Return the points of a history as CSV, each with whether it is made-up demo data."""
    rows: list[list[Any]] = [
        ["at", *(f"currently_licensed_{part}" for part in _LICENSED), *_PLAIN]
        + [f"{name}_{part}" for name, part in _OF_FACTOR]
        + ["demo"]
    ]
    for point, bucket in zip(points(history), history.buckets, strict=True):
        licensed, factors = point["currently_licensed"], point["factors"]
        rows.append(
            [point["at"], *(licensed[part] for part in _LICENSED), *(point[part] for part in _PLAIN)]
            + [factors.get(name, {}).get(part) for name, part in _OF_FACTOR]
            + [bucket.demo]
        )
    return csv_lines(rows)


def _seat_rows(seats: Sequence[Mapping[str, Any]]) -> list[list[Any]]:
    return [[" ".join(seat[name]) if name == "matched" else seat[name] for name in SEATS] for seat in seats]


def _change_rows(items: Sequence[Item]) -> list[list[Any]]:
    flat = [item.shown | item.shown.get("totals", {}) for item in items]
    return [[change.get(name) for name in CHANGES] for change in flat]
