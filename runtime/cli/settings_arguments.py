"""Owns the options that name what a count depends on, and how options become a body of settings (a merge patch)."""

from typing import Annotated, Any, Self

import typer

Body = dict[str, Any]

PoolOption = Annotated[int | None, typer.Option("--pool", min=0, help="Licences that the tenant bought.")]
ServiceTypeOption = Annotated[str | None, typer.Option("--service-type", help="ump_365, hosted_pro, oc_pro, …")]
FactorOption = Annotated[
    list[str] | None,
    typer.Option("--factor", metavar="NAME=on|off|default", help="Switch lifecycle, user_interface or service_number."),
]
GatewayOption = Annotated[
    list[str] | None,
    typer.Option("--gateway", metavar="HOST", help="A site gateway; those given replace the ones before."),
]
CriteriaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--criteria",
        metavar="NAME=REGEX",
        help="licensed_users_by_gateway, dr_numbers or reject_service_numbers (RE2); empty = default.",
    ),
]

_PLACES: dict[str, tuple[str, ...]] = {
    "pool": ("acquired_licenses",),
    "name": ("display_name",),
    "service-type": ("service_type",),
    "gateway": ("gateways",),
    "customer-guid": ("customer_guid",),
    "ms-tenant-id": ("ms_tenant_id",),
    "graph-cloud": ("graph", "cloud"),
    "template-group": ("graph", "template_groups"),
    "warning": ("alerts", "warning_percent"),
    "critical": ("alerts", "critical_percent"),
    "clear": ("alerts", "clear_percent"),
    "dwell": ("alerts", "dwell_s"),
    "warning-available": ("alerts", "warning_available"),
    "critical-available": ("alerts", "critical_available"),
    "grace-percent": ("alerts", "grace_percent"),
    "grace-days": ("alerts", "grace_days"),
    "forecast-days": ("alerts", "forecast_days"),
    "remind-after": ("alerts", "remind_after_s"),
    "channel": ("alerts", "channels"),
    "stale-after": ("stale_after_s",),
}
_SWITCHES = {"on": True, "off": False, "default": None}


class Changes:
    """A merge patch in the making. Wrong usage raises typer.BadParameter, which ends with exit code 2."""

    def __init__(self) -> None:
        self._body: Body = {}

    def body(self) -> Body:
        """Return the patch."""
        return self._body

    def set(self, option: str, value: Any) -> Self:
        """Set the value of an option, unless it was not given (None)."""
        if value is not None:
            self._put(_PLACES[option], value)
        return self

    def graph(self, switch: str | None) -> Self:
        """Take --graph: on keeps what there is, off forgets it."""
        if switch is not None:
            self._put(("graph",), {} if switch == "on" else None)
        return self

    def factors(self, given: list[str] | None) -> Self:
        """Take `NAME=on|off|default` of --factor."""
        for text in given or []:
            name, _, switch = text.partition("=")
            if switch not in _SWITCHES:
                raise typer.BadParameter(f"--factor takes NAME=on, NAME=off or NAME=default, not {text!r}")
            self._put(("factors", name), _SWITCHES[switch])
        return self

    def criteria(self, given: list[str] | None) -> Self:
        """Take `NAME=REGEX` of --criteria; an empty REGEX is the default."""
        for text in given or []:
            name, equals, pattern = text.partition("=")
            if not equals:
                raise typer.BadParameter(f"--criteria takes NAME=REGEX, not {text[:80]!r}")
            self._put(("criteria", name), pattern or None)
        return self

    def defaults(self, given: list[str] | None) -> Self:
        """Take the option names of --default."""
        for name in given or []:
            place = _PLACES.get(name.removeprefix("--"))
            if place is None:
                raise typer.BadParameter(f"--default takes one of {', '.join(_PLACES)}, not {name!r}")
            self._put(place, None)
        return self

    def _put(self, place: tuple[str, ...], value: Any) -> None:
        node = self._body
        for part in place[:-1]:
            node = node.setdefault(part, {})
            if node is None:
                raise typer.BadParameter(f"--{part} off forgets what the other options of {part} would set: leave one")
        node[place[-1]] = value
