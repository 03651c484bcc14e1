"""Owns the commands of alerts: `alerts list`, `acknowledge`, `mute`, `unmute`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line, print_table
from schemas.alert import AlertRule
from schemas.times import format_time, parse_time

alerts = typer.Typer(no_args_is_help=True, help="What a person should know of: open alerts, seen, muted.")

_RULES: tuple[str, ...] = get_args(AlertRule)
_SPAN = re.compile(r"^(\d{1,5})([mhdw])\Z")
_UNIT_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def _rule(text: str | None) -> str | None:
    if text is not None and text not in _RULES:
        raise typer.BadParameter(f"a rule is one of {', '.join(_RULES)}, not {text[:40]!r}")
    return text


def _until(text: str) -> str:
    span = _SPAN.match(text)
    try:
        if span is not None:
            return format_time(datetime.now(UTC) + timedelta(seconds=int(span[1]) * _UNIT_S[span[2]]))
        return format_time(parse_time(text))
    except ValueError as error:
        raise typer.BadParameter(
            f"a time is 30m, 2h or 5d (from now), or RFC 3339 with an offset such as 2026-11-24T10:00:00Z,"
            f" not {text[:60]!r}"
        ) from error


RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", callback=_rule, help="pool, forecast, stale, …; of `alerts list`.")
]
RuleOption = Annotated[
    str | None, typer.Option("--rule", metavar="RULE", callback=_rule, help="Of one rule alone; default: of all.")
]


@alerts.command("list")
def alerts_list(
    tenant: Annotated[str | None, typer.Option("--tenant", "-T", metavar="TENANT", help="Of one tenant alone.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over since a week or less.")] = False,
    as_json: AsJson = False,
) -> None:
    """List open alerts, the gravest first.

    Example: poolwatch alerts list -T acme
    """
    if tenant is not None:
        tenant_path(tenant)
    with connect() as api:
        found = list(api.items("/api/v1/alerts", tenant=tenant, state="all" if everything else "firing"))
    if as_json:
        print_json(found)
    elif not found:
        print_line("No alert is open.")
    else:
        print_table(("tenant", "rule", "level", "since", "seen by", "muted until", "what"), map(_row, found))


def _row(alert: dict[str, Any]) -> tuple[Any, ...]:
    level = alert["level"] or "over since " + alert["at"]
    return (alert["tenant"], alert["rule"], level, alert["since"], alert["acknowledged_by"], alert["silenced_until"],
            alert["detail"])  # fmt: skip


@alerts.command("acknowledge")
def alerts_acknowledge(name: TenantArgument, rule: RuleArgument, as_json: AsJson = False) -> None:
    """Say that an open alert was seen: nobody is reminded of it any more until its level rises.

    Example: poolwatch alerts acknowledge acme pool
    """
    with connect() as api:
        alert = api.request("POST", tenant_path(name, f"/alerts/{rule}/acknowledge")).json()
    if as_json:
        print_json(alert)
    else:
        print_line(f"acknowledged: {alert['detail']}")


@alerts.command("mute")
def alerts_mute(
    name: TenantArgument,
    until: Annotated[
        str, typer.Option("--until", metavar="2h|TIME", callback=_until, help="Until when, or for how long from now.")
    ],
    rule: RuleOption = None,
    reason: Annotated[str, typer.Option("--reason", help="For people, at most 200 characters.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell nobody of a tenant's alerts for a time: they are raised and kept, and told when it ends if they still hold.

    Example: poolwatch alerts mute acme --until 2h --reason ordered
    """
    body = {"rule": rule, "until": until, "reason": reason}
    with connect() as api:
        silence = api.request("POST", tenant_path(name, "/alerts/silences"), body=body).json()
    if as_json:
        print_json(silence)
    else:
        what = f"the rule {rule} of {name} is" if rule else f"all alerts of {name} are"
        print_line(f"{what} muted until {silence['until']}; `poolwatch alerts unmute {name}` ends that")


@alerts.command("unmute")
def alerts_unmute(name: TenantArgument, rule: RuleOption = None, as_json: AsJson = False) -> None:
    """End the silences of a tenant; those of the provider are settings of the provider.

    Example: poolwatch alerts unmute acme
    """
    with connect() as api:
        held = api.get(tenant_path(name, "/alerts"), limit=1)["silences"]
        own = [each for each in held if each["scope"] == "tenant" and rule in (None, each["rule"])]
        if not own:
            of_rule = f" of the rule {rule}" if rule else ""
            raise Failure(f"{name} has no silence of its own{of_rule}: nothing is muted, or the provider did it")
        for each in own:
            api.request("DELETE", tenant_path(name, f"/alerts/silences/{each['id']}"))
    if as_json:
        print_json({"tenant": name, "ended": own})
    else:
        print_line(f"ended: {len(own)} silence{'' if len(own) == 1 else 's'}; what holds is told now")
