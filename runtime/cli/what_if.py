"""Owns the command `what-if`: the count as it would be, beside the one that is."""

from typing import Any

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, TenantArgument, percent, print_json, print_line, print_table
from runtime.cli.settings_arguments import (
    Changes,
    CriteriaOption,
    FactorOption,
    GatewayOption,
    PoolOption,
    ServiceTypeOption,
)

_SHOWN = 20
_FIGURES = {
    "acquired_licenses": "Acquired Licenses",
    "currently_licensed": "Currently Licensed",
    "available_licenses": "Available Licenses",
    "user_licenses": "User Licenses",
    "dr_phone_licenses": "DR Phone Licenses",
}


def what_if(
    name: TenantArgument,
    factor: FactorOption = None,
    criteria: CriteriaOption = None,
    gateway: GatewayOption = None,
    service_type: ServiceTypeOption = None,
    pool: PoolOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the count as it would be under other settings, beside the one that is; changes nothing.

    Example: poolwatch what-if acme --factor lifecycle=off --criteria dr_numbers=^dr- --pool 450
    """
    changes = Changes().set("pool", pool).set("service-type", service_type).set("gateway", gateway or None)
    changes.factors(factor).criteria(criteria)
    if not changes.body():
        raise Failure("nothing to try: give --factor, --criteria, --gateway, --service-type or --pool")
    with connect() as api:
        found = api.request("POST", tenant_path(name, "/what-if"), body=changes.body()).json()
    print_json(found) if as_json else _print(found)


def _print(found: dict[str, Any]) -> None:
    now, then, totals = found["now"], found["then"], found["totals"]
    rows: list[tuple[Any, ...]] = [
        (label, now[key], then[key], _difference(now[key], then[key])) for key, label in _FIGURES.items()
    ]
    rows.insert(3, ("Usage", percent(now["usage_percent"]), percent(then["usage_percent"]), None))
    numbers = ("now", "then", "difference")
    print_table(("", *numbers), rows, numbers=numbers)
    print_line()
    factors = zip(now["factors"], then["factors"], strict=True)
    print_table(
        ("factor", *numbers),
        [
            (was["label"], was["display"], will["display"], _difference(was["counted"], will["counted"]))
            for was, will in factors
        ],
        numbers=numbers,
    )
    print_line()
    print_line(f"{totals['gained']:,} subjects gained, {totals['lost']:,} lost, {totals['moved']:,} moved")
    listed = [*found["gained"], *found["lost"], *found["moved"]]
    if listed:
        columns = ("kind", "subject", "display_name", "from_factor", "to_factor")
        print_table(columns, [[item[column] for column in columns] for item in listed[:_SHOWN]])
    if sum(totals.values()) > _SHOWN:
        print_line(f"… and {sum(totals.values()) - _SHOWN:,} more (--json lists up to 1,000 of each kind)")


def _difference(was: int | None, will: int | None) -> str | None:
    return None if was is None or will is None else f"{will - was:+,}" if will != was else "0"
