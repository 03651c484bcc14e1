"""The check of a tenant against a Graph over real HTTP, msal unchanged: what is missing is named, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from collectors.graph.api.client import GraphClient
from collectors.graph.api.clouds import CLOUDS, Cloud, GraphTenant
from collectors.graph.api.errors import Call, SignInUnavailableError
from collectors.graph.api.limits import Limits
from collectors.graph.check import Report, check
from runtime.cli.graph import said_of, show, shown_as_json
from runtime.graph_access import GraphSetupError
from runtime.graph_check import consent_address, run_check
from runtime.settings import Graph
from schemas.settings import Graph as TenantGraph
from schemas.settings import TenantSettings
from tests.support.graph import CLIENT_ID, CLIENT_SECRET, FakeGraph, FakeTenant, MsalHttp, served_graph
from tests.support.graph.answers import failure
from tests.support.graph.faults import Fault

APPLICATION = Graph(client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))
NOWHERE = "3e9d7b60-2f4c-4a8d-9b15-6c0e8f7a1d31"
LEAST = [
    "User.Read.All",
    "LicenseAssignment.Read.All",
    "TeamsUserConfiguration.Read.All",
    "TeamsTelephoneNumber.Read.All",
]


class Provider:
    """The provider's application, and one tenant of the fake."""

    def __init__(self, graph: FakeGraph, login: MsalHttp) -> None:
        self.graph = graph
        self.acme: FakeTenant = graph.add_tenant()
        self._login = login

    async def check(self, application: Graph = APPLICATION, **graph: Any) -> Report:
        tenant = TenantSettings(
            tenant="acme", ms_tenant_id=self.acme.ms_tenant_id, graph=TenantGraph.model_validate(graph)
        )
        clouds = {name: replace(cloud, graph=self.graph.origin) for name, cloud in CLOUDS.items()}
        return await run_check(application, tenant, clouds=clouds, login_http=self._login)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with served_graph() as graph, MsalHttp(graph.origin) as login:
        yield Provider(graph, login)


def states(report: Report) -> dict[str, str]:
    return {finding.permission.least: finding.state for finding in report.findings}


def detail(report: Report, permission: str) -> str:
    return next(finding.detail for finding in report.findings if finding.permission.least == permission)


async def test_with_the_least_permissions_everything_is_granted(provider: Provider) -> None:
    group = provider.acme.add_group("TPL-Frontline", [provider.acme.add_user()])
    report = await provider.check(template_groups=[group])
    assert (True, None, []) == (report.is_fine, report.sign_in, report.missing())
    assert dict.fromkeys([*LEAST, "GroupMember.Read.All"], "granted") == states(report)


@pytest.mark.parametrize("permission", LEAST)
async def test_a_permission_that_is_missing_is_named_and_the_others_are_not(
    provider: Provider, permission: str
) -> None:
    provider.acme.permissions.remove(permission)
    report = await provider.check()
    assert [permission] == report.missing()
    assert not report.is_fine
    assert detail(report, permission).startswith("without it ")
    assert {"granted"} == {state for name, state in states(report).items() if name != permission}


async def test_consented_to_nothing_all_is_missing(provider: Provider) -> None:
    provider.acme.permissions.clear()
    report = await provider.check()
    assert LEAST == report.missing()


async def test_a_wider_permission_does_as_well_and_is_named(provider: Provider) -> None:
    teams = {"TeamsUserConfiguration.Read.All", "TeamsTelephoneNumber.Read.All"}
    provider.acme.permissions = {"Directory.Read.All", *teams}
    group = provider.acme.add_group("TPL-Frontline")
    report = await provider.check(template_groups=[group])
    assert report.is_fine
    assert "by Directory.Read.All" == detail(report, "User.Read.All") == detail(report, "GroupMember.Read.All")
    assert "" == detail(report, "TeamsTelephoneNumber.Read.All")


async def test_what_graph_answers_is_not_missing_whatever_it_is_called(provider: Provider) -> None:
    issued = provider.graph.sign_in._issued
    without_roles = "e30.e30.c2ln"
    issued[without_roles] = issued[provider.graph.sign_in.issue(provider.acme.ms_tenant_id)]
    tenant = GraphTenant("acme", provider.acme.ms_tenant_id, Cloud("https://login", provider.graph.origin, True))
    async with httpx.AsyncClient(trust_env=False) as http:
        tokens = OneToken(without_roles)
        report = await check(GraphClient(http, tokens, Limits()), tokens, tenant, TenantGraph())
    assert report.is_fine
    assert "Graph answers by another permission" == detail(report, "User.Read.All")


async def test_granted_and_refused_all_the_same_is_no_missing_permission(provider: Provider) -> None:
    refusal = failure(403, "Forbidden", "ada@fabrikam.example has no licence for this.")
    provider.graph.faults.plan(Fault(9, "/v1.0/admin/teams/userConfigurations", answer=refusal))
    report = await provider.check()
    assert ("refused", []) == (states(report)["TeamsUserConfiguration.Read.All"], report.missing())
    assert "HTTP 403, Forbidden" in detail(report, "TeamsUserConfiguration.Read.All")
    assert "licence" in said_of(report)
    assert "ada@" not in json.dumps(shown_as_json(report, "")) + said_of(report)


async def test_a_template_group_that_is_not_there_is_named(provider: Provider) -> None:
    group = provider.acme.add_group("TPL-Frontline")
    report = await provider.check(template_groups=[group, NOWHERE])
    assert ("failing", False) == (states(report)["GroupMember.Read.All"], report.is_fine)
    assert f"the template group {NOWHERE} is not there" in said_of(report)


async def test_other_clouds_are_not_asked_for_teams(provider: Provider) -> None:
    report = await provider.check(cloud="gcc_high")
    assert report.is_fine
    assert {"User.Read.All", "LicenseAssignment.Read.All"} == set(states(report))
    assert [] == provider.graph.requests_to("/v1.0/admin")


async def test_beta_and_notifications_of_groups_take_permissions_of_their_own(provider: Provider) -> None:
    group = provider.acme.add_group("TPL-Frontline")
    provider.acme.permissions.discard("TeamsResourceAccount.Read.All")
    application = APPLICATION.model_copy(update={"beta": True, "notification_url": "https://hooks.msp.example"})
    report = await provider.check(application, template_groups=[group])
    # Nothing but a subscription would show whether groups may be subscribed to, so that none is made.
    assert ["Group.Read.All", "TeamsResourceAccount.Read.All"] == report.missing()
    assert [] == provider.graph.requests_to("/v1.0/subscriptions")
    provider.acme.permissions |= {"Group.Read.All", "TeamsResourceAccount.Read.All"}
    assert (await provider.check(application, template_groups=[group])).is_fine


async def test_without_consent_the_sign_in_says_so_and_no_endpoint_is_asked(provider: Provider) -> None:
    provider.acme.consented = False
    report = await provider.check()
    assert "the tenant has not consented to the application (sign-in, AADSTS700016)" in (report.sign_in or "")
    assert {"unknown"} == set(states(report).values())
    assert not report.is_fine
    assert [] == provider.graph.requests_to("/v1.0")
    assert "has not consented" in said_of(report)


async def test_a_wrong_secret_is_told_and_not_shown(provider: Provider) -> None:
    report = await provider.check(APPLICATION.model_copy(update={"client_secret": SecretStr("hush-hush")}))
    assert "the client secret is wrong" in said_of(report)
    assert "hush" not in said_of(report) + json.dumps(
        shown_as_json(report, consent_address(APPLICATION, report.tenant))
    )


async def test_without_settings_nobody_is_asked(provider: Provider) -> None:
    with pytest.raises(GraphSetupError, match="POOLWATCH_GRAPH_CLIENT_ID"):
        await provider.check(Graph())
    with pytest.raises(GraphSetupError, match="--ms-tenant-id"):
        await run_check(APPLICATION, TenantSettings(tenant="acme", graph=TenantGraph()))
    assert [] == provider.graph.requests


async def test_an_endpoint_that_hangs_is_told_in_time_and_keeps_no_other_from_answering(provider: Provider) -> None:
    provider.graph.faults.slow(9, 1.0, path="/v1.0/subscribedSkus")
    token = provider.graph.sign_in.issue(provider.acme.ms_tenant_id)
    tenant = GraphTenant("acme", provider.acme.ms_tenant_id, Cloud("https://login", provider.graph.origin, True))
    async with httpx.AsyncClient(trust_env=False) as http:
        tokens = OneToken(token)
        report = await check(GraphClient(http, tokens, Limits()), tokens, tenant, TenantGraph(), answer_s=0.3)
    assert "failing" == states(report)["LicenseAssignment.Read.All"]
    assert "did not answer within 0.3 s" in detail(report, "LicenseAssignment.Read.All")
    assert "granted" == states(report)["TeamsTelephoneNumber.Read.All"]


async def test_entra_away_is_a_failure_to_sign_in() -> None:
    tokens = OneToken(None)
    tenant = GraphTenant("acme", NOWHERE)
    async with httpx.AsyncClient(trust_env=False) as http:
        report = await check(GraphClient(http, tokens, Limits()), tokens, tenant, TenantGraph())
    assert "Entra ID does not answer" in (report.sign_in or "")


async def test_what_is_printed_names_what_is_missing_and_where_to_consent_and_no_token(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.acme.permissions.remove("TeamsTelephoneNumber.Read.All")
    report = await provider.check()
    back = APPLICATION.model_copy(update={"consent_redirect_url": "https://msp.example/consented"})
    address = consent_address(back, report.tenant)
    show(report, address, leads_back=True)
    printed = capsys.readouterr().out
    assert f"/{provider.acme.ms_tenant_id}/v2.0/adminconsent?client_id={CLIENT_ID}&" in address
    assert "redirect_uri=https%3A%2F%2Fmsp.example%2Fconsented" in address
    assert f"\n{address}\n" in printed
    line = next(line for line in printed.splitlines() if line.startswith("TeamsTelephoneNumber.Read.All"))
    assert " missing " in line
    assert "CONSENT_REDIRECT_URL" not in printed
    shown = json.dumps(shown_as_json(report, address))
    assert ["TeamsTelephoneNumber.Read.All"] == json.loads(shown)["missing"]
    assert "acme has not granted TeamsTelephoneNumber.Read.All" in said_of(report)
    issued = list(provider.graph.sign_in._issued)
    assert issued
    assert [] == [token for token in issued if token in printed + shown + said_of(report)]
    assert CLIENT_SECRET not in printed + shown


async def test_without_a_place_to_lead_back_to_the_address_names_none_and_that_is_said(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    report = await provider.check(cloud="china")
    address = consent_address(APPLICATION, report.tenant)
    show(report, address, leads_back=False)
    printed = capsys.readouterr().out
    assert "redirect_uri" not in address
    assert address.startswith(
        f"https://login.partner.microsoftonline.cn/{provider.acme.ms_tenant_id}/v2.0/adminconsent?"
    )
    assert address.endswith("&state=acme")
    assert "POOLWATCH_GRAPH_CONSENT_REDIRECT_URL is not set" in printed
    assert "no lists of Teams" in printed


class OneToken:
    """Has one token; None = Entra ID is away."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    async def token(self, tenant: GraphTenant) -> str:
        if self._token is None:
            raise SignInUnavailableError(Call(tenant.tenant, "sign-in"))
        return self._token

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        raise AssertionError("the token is good")
