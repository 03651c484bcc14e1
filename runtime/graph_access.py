"""Owns how settings become what Microsoft Graph is asked with: the application's credential, and a tenant's directory.
It signs in nowhere and starts nothing."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509 import load_pem_x509_certificate

from collectors.graph.api.clouds import CLOUDS, Cloud, GraphTenant
from collectors.graph.api.tokens import (
    ClientSecret,
    ClientSecretFile,
    Credential,
    FederatedAssertion,
    PemCertificate,
    PfxCertificate,
)
from runtime.settings import Graph, variable
from schemas.settings import CloudName, TenantSettings

_CREDENTIALS = ("client_secret", "client_secret_file", "certificate_file", "pfx_file", "federated_token_file")
_FILES = (*_CREDENTIALS[1:], "private_key_file")
_PAIRS = (("certificate_file", "private_key_file"), ("private_key_file", "certificate_file"))


class GraphSetupError(Exception):
    """Settings that Graph cannot be asked with: one sentence on what is missing or conflicts, and what to do."""


def credential(graph: Graph) -> Credential:
    """Return the credential that the installation's settings name; its files are there, and not read yet. Raises
    GraphSetupError."""
    if not graph.client_id:
        raise GraphSetupError(f"{_variable('client_id')} is not set: set it to the application's id in Entra ID")
    for name, other in _PAIRS:
        if getattr(graph, name) is not None and getattr(graph, other) is None:
            raise GraphSetupError(f"{_variable(name)} is set and {_variable(other)} is not: a certificate takes both")
    for name in _FILES:
        file: Path | None = getattr(graph, name)
        if file is not None and not file.is_file():
            raise GraphSetupError(
                f"{_variable(name)} names {file}, which is no file: correct it, or put the file there"
            )
    given = _given(graph)
    if not given:
        names = ", ".join(map(_variable, _CREDENTIALS))
        raise GraphSetupError(f"the application has no credential: set one of {names}")
    if len(given) > 1:
        names = " and ".join(map(_variable, given))
        raise GraphSetupError(f"{names} are set: the application signs in with one credential, so unset the others")
    return next(iter(given.values()))


def certificate_ends(graph: Graph) -> float:
    """Return when the application's certificate ends, in seconds since 1970; 0 where it has none that can be read: that
    is told where it is used."""
    try:
        if graph.certificate_file is not None:
            return load_pem_x509_certificate(graph.certificate_file.read_bytes()).not_valid_after_utc.timestamp()
        if graph.pfx_file is not None:
            secret = graph.passphrase.get_secret_value().encode() if graph.passphrase is not None else None
            _, certificate, _ = load_key_and_certificates(graph.pfx_file.read_bytes(), secret)
            return 0.0 if certificate is None else certificate.not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        return 0.0
    return 0.0


def graph_tenant(settings: TenantSettings, clouds: Mapping[CloudName, Cloud] = CLOUDS) -> GraphTenant:
    """Return the directory that a tenant is. Raises GraphSetupError, also for one that Graph is not read of."""
    name = settings.tenant
    if settings.graph is None:
        raise GraphSetupError(
            f"Microsoft Graph is not read of {name}: `poolwatch tenant set {name} --graph on` switches it on"
        )
    if settings.ms_tenant_id is None:
        raise GraphSetupError(
            f"the directory of {name} is not known: `poolwatch tenant set {name} --ms-tenant-id GUID` names it"
        )
    return GraphTenant(name, settings.ms_tenant_id, clouds[settings.graph.cloud])


def _given(graph: Graph) -> dict[str, Credential]:
    given: dict[str, Credential] = {}
    if graph.client_secret is not None:
        given["client_secret"] = ClientSecret(graph.client_secret)
    if graph.client_secret_file is not None:
        given["client_secret_file"] = ClientSecretFile(graph.client_secret_file)
    if graph.certificate_file is not None and graph.private_key_file is not None:
        given["certificate_file"] = PemCertificate(graph.private_key_file, graph.certificate_file, graph.passphrase)
    if graph.pfx_file is not None:
        given["pfx_file"] = PfxCertificate(graph.pfx_file, graph.passphrase)
    if graph.federated_token_file is not None:
        given["federated_token_file"] = FederatedAssertion(graph.federated_token_file)
    return given


def _variable(name: str) -> str:
    return variable(("graph", name))
