"""Owns the commands of alerts: `alerts list`, `acknowledge`, `mute`, `unmute`, `test`."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.console import Console

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import AsJson, TenantArgument, print_json, print_line, print_table
from runtime.settings import load
from schemas.alert import AlertRule
from schemas.settings import ProviderSettings, TenantSettings
from schemas.times import format_time, parse_time

if TYPE_CHECKING:
    from runtime.trial_message import Tried

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


@alerts.command("test")
def alerts_test(
    tenant: Annotated[str, typer.Option("--tenant", "-T", metavar="TENANT", help="Of whose alerts.")],
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="By one channel; default: by all of the tenant.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a message that says that it is a test, by each channel that tells of a tenant's alerts; 1 if one fails.

    It goes from here, with the settings of this process, at once: quiet hours and digests do not hold it back.

    Example: poolwatch alerts test -T acme
    """
    with connect() as api:
        own = TenantSettings.model_validate_json(api.request("GET", tenant_path(tenant, "/settings")).content)
        provider = ProviderSettings.model_validate_json(api.request("GET", "/api/v1/provider/settings").content)
    # What sends, and Faust beside it, takes longer to import than other commands to run.
    from runtime.trial_message import channels_to_try, try_channels

    settings = load().alerts
    chosen = channels_to_try(settings, own, provider, channel)
    waiting = sorted(each.name for each in chosen)
    with Console(stderr=True).status(f"waiting for {', '.join(waiting)}") as status:

        def ended(tried: "Tried") -> None:
            waiting.remove(tried.channel)
            status.update(f"waiting for {', '.join(waiting)}")
            if not as_json:
                print_line(f"{tried.channel}: {tried.error or f'sent, {tried.took_s:.1f} s'}")

        results = asyncio.run(try_channels(settings, chosen, own, ended))
    if as_json:
        print_json(
            [{"channel": each.channel, "sent": each.error is None, "error": each.error, "took_s": each.took_s}
             for each in results]
        )  # fmt: skip
    if failed := [each.channel for each in results if each.error is not None]:
        raise Failure(
            f"{', '.join(failed)} did not take the test: correct alerts.channels, or see what its receiver says"
        )
