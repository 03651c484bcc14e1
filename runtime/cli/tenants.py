"""Owns the commands of settings: `tenant set|show|list|remove`, `provider set|show`, `settings history`."""

from typing import Annotated, Any, Literal

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.limit_options import (
    ChannelOption,
    ClearOption,
    CriticalAvailableOption,
    CriticalOption,
    DwellOption,
    ForecastDaysOption,
    GraceDaysOption,
    GracePercentOption,
    RemindAfterOption,
    StaleOption,
    WarningAvailableOption,
    WarningOption,
    take_limits,
)
from runtime.cli.output import AsJson, TenantArgument, percent, print_json, print_line, print_table
from runtime.cli.settings_arguments import (
    Body,
    Changes,
    CriteriaOption,
    FactorOption,
    GatewayOption,
    PoolOption,
    ServiceTypeOption,
)

tenant = typer.Typer(no_args_is_help=True, help="Tenants and their settings.")
provider = typer.Typer(no_args_is_help=True, help="The provider's own defaults, for tenants that do not say otherwise.")
settings = typer.Typer(no_args_is_help=True, help="What became of settings.")

DefaultOption = Annotated[
    list[str] | None, typer.Option("--default", metavar="NAME", help="Back to the default: the name of another option.")
]


@tenant.command("set")
def tenant_set(
    name: TenantArgument,
    pool: PoolOption = None,
    display_name: Annotated[str | None, typer.Option("--name", help="Name for people.")] = None,
    service_type: ServiceTypeOption = None,
    factor: FactorOption = None,
    gateway: GatewayOption = None,
    criteria: CriteriaOption = None,
    customer_guid: Annotated[str | None, typer.Option(metavar="GUID", help="Customer GUID, for criteria.")] = None,
    ms_tenant_id: Annotated[
        str | None, typer.Option(metavar="GUID", help="Microsoft tenant id, for Microsoft Graph and criteria.")
    ] = None,
    graph: Annotated[
        Literal["on", "off"] | None, typer.Option(help="Read Microsoft Graph; off forgets its settings.")
    ] = None,
    graph_cloud: Annotated[
        str | None, typer.Option(metavar="NAME", help="global (GCC too), gcc_high, dod or china; switches Graph on.")
    ] = None,
    template_group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="A group whose members are users by template; those given replace the ones before. Switches Graph on.",
        ),
    ] = None,
    warning: WarningOption = None,
    critical: CriticalOption = None,
    clear: ClearOption = None,
    warning_available: WarningAvailableOption = None,
    critical_available: CriticalAvailableOption = None,
    dwell: DwellOption = None,
    grace_percent: GracePercentOption = None,
    grace_days: GraceDaysOption = None,
    forecast_days: ForecastDaysOption = None,
    remind_after: RemindAfterOption = None,
    channel: ChannelOption = None,
    stale_after: StaleOption = None,
    default: DefaultOption = None,
    as_json: AsJson = False,
) -> None:
    """Set what is given and leave the rest; makes the tenant if there is none.

    Example: poolwatch tenant set acme --pool 500 --gateway sbc1.acme.example --factor lifecycle=off
    """
    changes = Changes()
    changes.set("pool", pool).set("name", display_name).set("service-type", service_type)
    changes.set("customer-guid", customer_guid).set("ms-tenant-id", ms_tenant_id).set("gateway", gateway or None)
    changes.graph(graph).set("graph-cloud", graph_cloud).set("template-group", template_group or None)
    changes.factors(factor).criteria(criteria)
    take_limits(
        changes, warning=warning, critical=critical, clear=clear, warning_available=warning_available,
        critical_available=critical_available, dwell=dwell, grace_percent=grace_percent, grace_days=grace_days,
        forecast_days=forecast_days, remind_after=remind_after, channel=channel or None, stale_after=stale_after,
    )  # fmt: skip
    _defaults(changes, default)
    path = tenant_path(name, "/settings")
    with connect() as api:
        _show(api.request("PATCH", path, body=changes.body()).json(), as_json)


@tenant.command("show")
def tenant_show(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show the settings of a tenant.

    Example: poolwatch tenant show acme
    """
    with connect() as api:
        _show(api.get(tenant_path(name, "/settings")), as_json)


@tenant.command("list")
def tenant_list(
    search: Annotated[str | None, typer.Option(help="In tenant id or display name.")] = None, as_json: AsJson = False
) -> None:
    """List the tenants with their counts.

    Example: poolwatch tenant list --search contoso
    """
    with connect() as api:
        counts = list(api.items("/api/v1/tenants", search=search))
    print_json(counts) if as_json else print_counts(counts)


@tenant.command("remove")
def tenant_remove(
    name: TenantArgument,
    purge: Annotated[bool, typer.Option(help="Its history goes too, at once.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Drop a tenant's facts; its later events are dead letters until it is set again.

    Example: poolwatch tenant remove acme --yes
    """
    path = tenant_path(name)
    if not yes:
        typer.confirm(f"Remove the tenant {name}{' and its history' if purge else ''}?", abort=True)
    with connect() as api:
        answer = api.request("DELETE", path, params={"purge": purge or None}).json()
    if as_json:
        print_json(answer)
    else:
        print_line(
            f"{name} is removed{', its history too' if purge else ''}; `poolwatch tenant set {name}` brings it back"
        )


@provider.command("set")
def provider_set(
    factor: FactorOption = None,
    warning: WarningOption = None,
    critical: CriticalOption = None,
    clear: ClearOption = None,
    warning_available: WarningAvailableOption = None,
    critical_available: CriticalAvailableOption = None,
    dwell: DwellOption = None,
    grace_percent: GracePercentOption = None,
    grace_days: GraceDaysOption = None,
    forecast_days: ForecastDaysOption = None,
    remind_after: RemindAfterOption = None,
    channel: ChannelOption = None,
    stale_after: StaleOption = None,
    default: DefaultOption = None,
    as_json: AsJson = False,
) -> None:
    """Set what is given and leave the rest.

    Example: poolwatch provider set --factor user_interface=off --warning 85
    """
    changes = Changes()
    changes.factors(factor)
    take_limits(
        changes, warning=warning, critical=critical, clear=clear, warning_available=warning_available,
        critical_available=critical_available, dwell=dwell, grace_percent=grace_percent, grace_days=grace_days,
        forecast_days=forecast_days, remind_after=remind_after, channel=channel or None, stale_after=stale_after,
    )  # fmt: skip
    _defaults(changes, default)
    with connect() as api:
        _show(api.request("PATCH", "/api/v1/provider/settings", body=changes.body()).json(), as_json)


@provider.command("show")
def provider_show(as_json: AsJson = False) -> None:
    """Show the provider's defaults.

    Example: poolwatch provider show
    """
    with connect() as api:
        _show(api.get("/api/v1/provider/settings"), as_json)


@settings.command("history")
def settings_history(name: TenantArgument, as_json: AsJson = False) -> None:
    """Show who changed which setting, when, from what to what; newest first.

    Example: poolwatch settings history acme
    """
    with connect() as api:
        revisions = list(api.items(tenant_path(name, "/settings/changes")))
    if as_json:
        print_json(revisions)
        return
    rows = [
        (revision["at"], revision["by"], item["setting"], _plain(item["from"]), _plain(item["to"]))
        for revision in revisions
        for item in revision["changes"] or [{"setting": "(nothing)", "from": None, "to": None}]
    ]
    print_table(("at", "by", "setting", "from", "to"), rows)


def print_counts(counts: list[dict[str, Any]]) -> None:
    """Print counts as a table, one line a tenant."""
    rows = [
        (
            count["tenant"],
            count["currently_licensed"],
            count["acquired_licenses"],
            count["available_licenses"],
            percent(count["usage_percent"]),
            "stale" if count["stale"] else "",
        )
        for count in counts
    ]
    numbers = ("licensed", "acquired", "available", "usage")
    print_table(("tenant", *numbers, ""), rows, numbers=numbers)


def _defaults(changes: Changes, default: list[str] | None) -> None:
    changes.defaults(default)
    if not changes.body():
        raise Failure("nothing to set: name at least one option, --help lists them")


def _show(body: Body, as_json: bool) -> None:
    if as_json:
        print_json(body)
        return
    print_table(("setting", "value"), _rows(body))


def _rows(body: Body, prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in body.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", _plain(value)))
    return rows


def _plain(value: Any) -> Any:
    return ", ".join(map(_item, value)) if isinstance(value, list) else value


def _item(value: Any) -> str:
    if not isinstance(value, dict):  # all but silences are lists of texts
        return str(value)
    return " ".join(f"{key}={part}" for key, part in value.items() if part)
