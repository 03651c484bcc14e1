"""Owns the command `graph check`: whether Microsoft Graph can be read of a tenant, and what is missing."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli.client import connect, tenant_path
from runtime.cli.failure import Failure
from runtime.cli.output import print_json, print_line, print_table
from runtime.settings import load
from schemas.settings import TenantSettings

if TYPE_CHECKING:
    from collectors.graph.check import Report

graph = typer.Typer(no_args_is_help=True, help="Microsoft Graph, as the source of a tenant's real state.")

_NO_WAY_BACK = (
    "POOLWATCH_GRAPH_CONSENT_REDIRECT_URL is not set, so the address names no place to lead back to: set it to one of"
    " the registration's redirect addresses if Entra ID asks for it."
)
_NO_TEAMS = (
    "Its cloud has no lists of Teams: voice and numbers come from imports (`poolwatch import users`, `numbers`)."
)


@graph.command("check")
def graph_check(
    tenant: Annotated[str, typer.Option("--tenant", "-T", help="Whose directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Sign in to a tenant, and say which permission is missing; exit code 1 if something cannot be read.

    Example: poolwatch graph check -T acme
    """
    path = tenant_path(tenant, "/settings")
    with connect() as api:
        known = TenantSettings.model_validate_json(api.request("GET", path).content, extra="ignore")
    # msal and what it brings take longer to import than other commands to run.
    from runtime.graph_access import GraphSetupError
    from runtime.graph_check import consent_address, run_check

    settings = load().graph
    try:
        report = asyncio.run(run_check(settings, known))
    except GraphSetupError as error:
        raise Failure(str(error)) from error
    address = consent_address(settings, report.tenant)
    if as_json:
        print_json(shown_as_json(report, address))
    else:
        show(report, address, leads_back=settings.consent_redirect_url is not None)
    if not report.is_fine:
        raise Failure(said_of(report))


def show(report: "Report", address: str, *, leads_back: bool) -> None:
    """Print a report for people, and where an administrator consents."""
    print_line(f"{report.tenant.tenant} is the directory {report.tenant.ms_tenant_id}.")
    columns = ("permission", "for", "state", "")
    rows = [(each.permission.least, each.permission.reads, each.state, each.detail) for each in report.findings]
    print_table(columns, rows)
    if not report.tenant.cloud.has_teams_admin:
        print_line(_NO_TEAMS)
    print_line("An administrator of the tenant consents at:")
    sys.stdout.write(f"{address}\n")  # whole: a console would break it
    if not leads_back:
        print_line(_NO_WAY_BACK)


def shown_as_json(report: "Report", address: str) -> dict[str, object]:
    """Return a report as JSON."""
    return {
        "tenant": report.tenant.tenant,
        "ms_tenant_id": report.tenant.ms_tenant_id,
        "ok": report.is_fine,
        "sign_in": report.sign_in or "ok",
        "permissions": [
            {
                "permission": each.permission.least,
                "for": each.permission.part,
                "state": each.state,
                "detail": each.detail,
            }
            for each in report.findings
        ],
        "missing": report.missing(),
        "consent_address": address,
    }


def said_of(report: "Report") -> str:
    """Return what is wrong, in words."""
    tenant = report.tenant.tenant
    if report.sign_in is not None:
        return f"{tenant}: {report.sign_in}"
    said = [
        f"{each.permission.least}: {each.detail}"
        for each in report.findings
        if each.state not in ("granted", "missing")
    ]
    if missing := report.missing():
        names = ", ".join(missing)
        said.insert(0, f"{tenant} has not granted {names}: put it into the application's registration and consent anew")
    return "\n".join(said)
