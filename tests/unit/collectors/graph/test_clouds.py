"""The hosts of each cloud, and the page of consent."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from collectors.graph.api.clouds import CLOUDS, GraphTenant
from collectors.graph.api.tokens import admin_consent_address

FABRIKAM = "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"


def test_every_cloud_has_the_hosts_and_the_teams_resources_that_microsoft_documents() -> None:
    assert {
        "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com", True),
        "gcc_high": ("https://login.microsoftonline.us", "https://graph.microsoft.us", False),
        "dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us", False),
        "china": ("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn", False),
    } == {name: (cloud.login, cloud.graph, cloud.has_teams_admin) for name, cloud in CLOUDS.items()}


def test_a_token_is_asked_for_the_graph_of_its_cloud() -> None:
    assert "https://dod-graph.microsoft.us/.default" == CLOUDS["dod"].scope


def test_the_address_of_a_cloud_can_be_replaced() -> None:
    own = replace(CLOUDS["global"], graph="http://127.0.0.1:8080")
    assert ("http://127.0.0.1:8080", "https://login.microsoftonline.com") == (own.graph, own.login)


def test_consent_is_given_in_the_tenant_of_the_customer_to_all_that_is_registered() -> None:
    tenant = GraphTenant("acme", FABRIKAM, CLOUDS["gcc_high"])
    address = urlsplit(admin_consent_address(tenant, "the-app", "https://msp.example/done?x=1", "a&b"))
    assert ("login.microsoftonline.us", f"/{FABRIKAM}/v2.0/adminconsent") == (address.netloc, address.path)
    assert {
        "client_id": ["the-app"],
        "scope": ["https://graph.microsoft.us/.default"],
        "redirect_uri": ["https://msp.example/done?x=1"],
        "state": ["a&b"],
    } == parse_qs(address.query, strict_parsing=True)
