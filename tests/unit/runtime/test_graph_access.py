"""What settings make of Graph: one credential, one directory, or a sentence on what is missing."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from collectors.graph.api.clouds import CLOUDS, Cloud, GraphTenant
from collectors.graph.api.tokens import (
    ClientSecret,
    ClientSecretFile,
    Credential,
    FederatedAssertion,
    PemCertificate,
    PfxCertificate,
)
from runtime.graph_access import GraphSetupError, credential, graph_tenant
from runtime.settings import Graph
from schemas.settings import TenantSettings

GUID = "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201"
HUSH = SecretStr("hush-hush")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("hush-hush")
    return tmp_path / "file"


def test_the_settings_choose_the_credential(file: Path) -> None:
    chosen: list[tuple[dict[str, Any], Credential]] = [
        ({"client_secret": HUSH}, ClientSecret(HUSH)),
        ({"client_secret_file": file}, ClientSecretFile(file)),
        ({"certificate_file": file, "private_key_file": file, "passphrase": HUSH}, PemCertificate(file, file, HUSH)),
        ({"pfx_file": file, "passphrase": HUSH}, PfxCertificate(file, HUSH)),
        ({"federated_token_file": file}, FederatedAssertion(file)),
    ]
    for given, expected in chosen:
        assert expected == credential(Graph(client_id="the-app", **given))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "the application has no credential: set one of POOLWATCH_GRAPH_CLIENT_SECRET, POOLWATCH_GRAPH_"),
        (("certificate_file",), "POOLWATCH_GRAPH_CERTIFICATE_FILE is set and POOLWATCH_GRAPH_PRIVATE_KEY_FILE is not"),
        (("private_key_file",), "POOLWATCH_GRAPH_PRIVATE_KEY_FILE is set and POOLWATCH_GRAPH_CERTIFICATE_FILE is not"),
        (("pfx_file", "client_secret_file"), "POOLWATCH_GRAPH_CLIENT_SECRET_FILE and POOLWATCH_GRAPH_PFX_FILE are set"),
        (
            ("certificate_file", "private_key_file", "federated_token_file"),
            "POOLWATCH_GRAPH_CERTIFICATE_FILE and POOLWATCH_GRAPH_FEDERATED_TOKEN_FILE are set",
        ),
    ],
)
def test_what_is_missing_or_conflicts_is_named(file: Path, names: tuple[str, ...], said: str) -> None:
    with pytest.raises(GraphSetupError) as raised:
        credential(Graph.model_validate({"client_id": "the-app"} | dict.fromkeys(names, file)))
    assert said in str(raised.value)


def test_a_secret_beside_a_file_conflicts_and_is_not_told(file: Path) -> None:
    with pytest.raises(GraphSetupError, match="CLIENT_SECRET and POOLWATCH_GRAPH_PFX_FILE are set") as raised:
        credential(Graph(client_id="the-app", client_secret=HUSH, pfx_file=file))
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("name", ["client_secret_file", "pfx_file", "federated_token_file"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(GraphSetupError) as raised:
        credential(Graph.model_validate({"client_id": "the-app", name: tmp_path / "nowhere"}))
    assert f"POOLWATCH_GRAPH_{name.upper()} names {tmp_path / 'nowhere'}, which is no file" in str(raised.value)


@pytest.mark.parametrize("name", ["certificate_file", "private_key_file"])
def test_each_file_of_a_certificate_must_be_there(file: Path, tmp_path: Path, name: str) -> None:
    files = {"certificate_file": file, "private_key_file": file} | {name: tmp_path / "nowhere"}
    with pytest.raises(GraphSetupError, match=f"POOLWATCH_GRAPH_{name.upper()} names"):
        credential(Graph.model_validate({"client_id": "the-app"} | files))


def test_without_an_application_nobody_signs_in() -> None:
    for client_id in (None, ""):
        with pytest.raises(GraphSetupError, match="POOLWATCH_GRAPH_CLIENT_ID is not set"):
            credential(Graph(client_id=client_id, client_secret=HUSH))


def tenant(**settings: Any) -> TenantSettings:
    return TenantSettings.model_validate({"tenant": "acme"} | settings)


def test_a_tenant_is_a_directory_in_its_cloud() -> None:
    china = tenant(ms_tenant_id=GUID, graph={"cloud": "china"})
    assert GraphTenant("acme", GUID, CLOUDS["china"]) == graph_tenant(china)
    elsewhere = Cloud("https://login", "https://graph", has_teams_admin=True)
    assert GraphTenant("acme", GUID, elsewhere) == graph_tenant(
        tenant(ms_tenant_id=GUID, graph={}), {"global": elsewhere}
    )


def test_a_tenant_that_graph_is_not_read_of_is_told_how_it_would_be() -> None:
    with pytest.raises(GraphSetupError, match="tenant set acme --graph on"):
        graph_tenant(tenant(ms_tenant_id=GUID))
    with pytest.raises(GraphSetupError, match="tenant set acme --ms-tenant-id GUID"):
        graph_tenant(tenant(graph={}))
