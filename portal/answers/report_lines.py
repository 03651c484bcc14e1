"""Owns reports as lines: a row a tenant, for billing systems and spreadsheets, as CSV or JSON, sent as it is read."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import msgspec

from licensing.factors import FACTORS
from portal.answers.csv_lines import csv_lines

_NAMES = [factor.name for factor in FACTORS]
MONTHLY = (
    "tenant", "display_name", "month", "from", "until", "closed", "resolution", "demo", "covered_from",
    "peak", "peak_at", "average", "last", "pool", "pool_changes", "overage_hours", "overage_seat_hours",
    "overage_exact", *(f"{name}_last" for name in _NAMES), *(f"{name}_average" for name in _NAMES),
    "seats_gained", "seats_lost", "settings_changes",
)  # fmt: skip
_IN_FORCE = (
    "tenant", "display_name", "acquired_licenses", "currently_licensed", "available_licenses", "usage_percent",
    "user_licenses", "dr_phone_licenses",
)  # fmt: skip
_OF_FACTOR = ("counted", "matched", "enabled")
DAILY = (*_IN_FORCE, *(f"{name}_{part}" for name in _NAMES for part in _OF_FACTOR), "at", "closed", "demo")


def monthly_line(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a monthly report in short, in the order of the columns."""
    licensed, overage = report["currently_licensed"] or {}, report["overage"] or {}
    factors = {row["factor"]: row for row in report["factors"]}
    plain = ("tenant", "display_name", "month", "from", "until", "closed", "resolution", "demo", "covered_from")
    return (
        {name: report[name] for name in plain}
        | {name: licensed.get(name) for name in ("peak", "peak_at", "average", "last")}
        | {"pool": report["pool"]["at_end"], "pool_changes": len(report["pool"]["changes"])}
        | {f"overage_{name}": overage.get(name) for name in ("hours", "seat_hours", "exact")}
        | {f"{name}_{part}": factors.get(name, {}).get(part) for part in ("last", "average") for name in _NAMES}
        | {f"seats_{kind}": number for kind, number in report["seats"].items()}
        | {"settings_changes": len(report["settings_changes"])}
    )


def monthly_csv(reports: Iterable[Mapping[str, Any]]) -> str:
    """Return monthly reports as lines of CSV, without the line of names."""
    return csv_lines(monthly_line(report).values() for report in reports)


def daily_csv(items: Iterable[Mapping[str, Any]], at: str, closed: bool) -> str:
    """Return items of a daily report likewise."""
    return csv_lines(
        [item[name] for name in _IN_FORCE]
        + [item["factors"][name][part] for name in _NAMES for part in _OF_FACTOR]
        + [at, closed, item["demo"]]
        for item in items
    )


async def headed(head: str, parts: AsyncIterator[str]) -> AsyncIterator[str]:
    """Yield parts of a text as they are read, `head` with the first of them: whoever asks for it learns whether the
    parts can be read at all."""
    yield head + await anext(parts, "")
    async for part in parts:
        yield part


async def json_items(portions: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[str]:
    """Yield the items of a JSON list, and the end of the list and of the object that it is the last of."""
    comma = ""
    async for items in portions:
        if items:
            yield comma + ",".join(msgspec.json.encode(item).decode() for item in items)
            comma = ","
    yield "]}"


def json_head(head: Mapping[str, Any]) -> str:
    """Return the beginning of a JSON object that ends in `items`."""
    return msgspec.json.encode(head).decode()[:-1] + ',"items":['
