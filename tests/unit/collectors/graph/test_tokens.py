"""Signing in by msal, unchanged, against an Entra ID that is put in at msal's own seam: the object it sends with."""

import asyncio
import json
import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from collectors.graph.api.clouds import CLOUDS, GraphTenant
from collectors.graph.api.errors import SignInError, SignInUnavailableError
from collectors.graph.api.tokens import (
    ClientSecret,
    ClientSecretFile,
    Credential,
    FederatedAssertion,
    MsalTokens,
    PemCertificate,
    PfxCertificate,
)

ACME = GraphTenant("acme", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201")
OTHER = GraphTenant("other", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d202", CLOUDS["gcc_high"])
SECRET = ClientSecret(SecretStr("hush-hush"))


@dataclass
class Reply:
    """What msal looks at of an answer."""

    status_code: int
    text: str
    headers: dict[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        raise AssertionError("nothing that fails reaches msal")


def refused(*codes: int, status: int = 401) -> Reply:
    text = f"AADSTS{codes}: Application 'X' was not found in the directory 'Fabrikam', said ada@fabrikam.example"
    return Reply(status, json.dumps({"error": "invalid_client", "error_description": text, "error_codes": codes}))


class MemoryEntra:
    """Knows all tenants and gives numbered tokens, until told otherwise."""

    def __init__(self) -> None:
        self.discovery: Reply | Exception | None = None
        self.answer: Reply | Exception | None = None
        self.lifetime: dict[str, int] = {"expires_in": 3599}
        self.forms: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.held: set[str] = set()
        self.release = threading.Event()

    def get(self, url: str, **options: Any) -> Reply:
        self.asked.append(url)
        base = url.partition("/v2.0/")[0]
        names = {"issuer": base, "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"}
        found = Reply(200, json.dumps(names | {"token_endpoint": f"{base}/oauth2/v2.0/token"}))
        return self._told(self.discovery, found)

    def post(self, url: str, **options: Any) -> Reply:
        self.asked.append(url)
        self.forms.append(options["data"])
        if any(tenant in url for tenant in self.held):
            assert self.release.wait(10)
        body = {"token_type": "Bearer", "access_token": f"token-{len(self.forms)}", **self.lifetime}
        return self._told(self.answer, Reply(200, json.dumps(body)))

    @staticmethod
    def _told(told: Reply | Exception | None, else_: Reply) -> Reply:
        if isinstance(told, Exception):
            raise told
        return told or else_

    def close(self) -> None:
        raise AssertionError("whoever made it closes it")


class Clock:
    """A clock that stands still."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def entra() -> MemoryEntra:
    return MemoryEntra()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(entra: MemoryEntra, clock: Clock) -> MsalTokens:
    return signing_in(entra, SECRET, clock)


def signing_in(entra: MemoryEntra, credential: Credential, clock: Clock | None = None) -> MsalTokens:
    return MsalTokens("the-app", credential, http_client=entra, now=clock or Clock())


async def test_a_tenant_signs_in_at_its_own_authority_for_the_graph_of_its_cloud(
    tokens: MsalTokens, entra: MemoryEntra
) -> None:
    assert "token-1" == await tokens.token(OTHER)
    base = f"https://login.microsoftonline.us/{OTHER.ms_tenant_id}"
    assert [f"{base}/v2.0/.well-known/openid-configuration", f"{base}/oauth2/v2.0/token"] == entra.asked
    form = entra.forms[0]
    assert ("the-app", "hush-hush", "client_credentials", "https://graph.microsoft.us/.default") == (
        form["client_id"], form["client_secret"], form["grant_type"], form["scope"],
    )  # fmt: skip


async def test_a_token_is_fetched_once_and_tenants_never_share_one(tokens: MsalTokens, entra: MemoryEntra) -> None:
    both = [tenant for tenant in (ACME, OTHER) for _ in range(5)]
    got = await asyncio.gather(*[tokens.token(tenant) for tenant in both])
    assert ({"token-1", "token-2"}, 1, 1) == (set(got), len(set(got[:5])), len(set(got[5:])))
    assert 2 == len(entra.forms)


async def test_a_token_is_fetched_again_before_it_ends(tokens: MsalTokens, entra: MemoryEntra, clock: Clock) -> None:
    entra.lifetime = {"expires_in": 299}  # less than what msal still uses
    assert ["token-1", "token-2"] == [await tokens.token(ACME), await tokens.token(ACME)]
    entra.lifetime = {"expires_in": 3599, "refresh_in": -1}  # to be refreshed at once
    await tokens.token(ACME)
    assert "token-4" == await tokens.token(ACME)


async def test_while_entra_is_away_a_good_token_is_used_on_until_its_end(
    tokens: MsalTokens, entra: MemoryEntra, clock: Clock
) -> None:
    entra.lifetime = {"expires_in": 200}
    await tokens.token(ACME)
    entra.answer = httpx.ConnectError("no way out")
    assert ["token-1"] * 3 == [await tokens.token(ACME) for _ in range(3)]
    assert 2 == len(entra.forms)  # one attempt, and then a pause
    clock.now_s += 200
    with pytest.raises(SignInUnavailableError):
        await tokens.token(ACME)


async def test_a_rejected_token_is_not_used_again_and_its_claims_are_asked_for(
    tokens: MsalTokens, entra: MemoryEntra
) -> None:
    await tokens.token(ACME)
    tokens.reject(ACME, None)
    assert "token-2" == await tokens.token(ACME)
    assert "claims" not in entra.forms[1]
    tokens.reject(ACME, '{"access_token":{"nbf":{"essential":true}}}')
    entra.answer = httpx.ConnectError("no way out")
    with pytest.raises(SignInUnavailableError):  # rather than the token that was rejected
        await tokens.token(ACME)
    entra.answer = None
    assert "token-4" == await tokens.token(ACME)
    assert {"nbf": {"essential": True}} == json.loads(entra.forms[3]["claims"])["access_token"]
    assert "token-4" == await tokens.token(ACME)


@pytest.mark.parametrize(
    ("codes", "code", "reason", "next_step"),
    [
        ((700016,), "AADSTS700016", "has not consented", "administrator of the tenant"),
        ((7000229,), "AADSTS7000229", "has not consented", "administrator of the tenant"),
        ((7000215,), "AADSTS7000215", "secret is wrong", "not its id"),
        ((7000222,), "AADSTS7000222", "secret has expired", "make a new one"),
        ((90002,), "AADSTS90002", "no such tenant", "its cloud"),
        ((1, 700016), "AADSTS700016", "has not consented", "administrator of the tenant"),
        ((53003,), "AADSTS53003", "refuses the sign-in", "registration"),
        ((), "", "refuses the sign-in", "registration"),
    ],
)
async def test_a_refusal_says_why_and_what_to_do_and_no_name(
    tokens: MsalTokens, entra: MemoryEntra, codes: tuple[int, ...], code: str, reason: str, next_step: str
) -> None:
    entra.answer = refused(*codes)
    with pytest.raises(SignInError) as raised:
        await tokens.token(ACME)
    assert code == raised.value.code
    assert reason in raised.value.reason
    assert next_step in raised.value.next_step
    for name in ("Fabrikam", "ada@", "hush"):
        assert name not in str(raised.value)


async def test_after_a_refusal_what_has_been_mended_counts_at_once(entra: MemoryEntra, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old\n")
    tokens = signing_in(entra, ClientSecretFile(secret))
    entra.answer = refused(7000215, status=400)  # msal keeps a 400 for a minute
    with pytest.raises(SignInError):
        await tokens.token(ACME)
    secret.write_text("new\n")
    entra.answer = None
    assert "token-2" == await tokens.token(ACME)
    assert ["old", "new"] == [form["client_secret"] for form in entra.forms]


async def test_a_consent_that_has_been_given_counts_at_once(tokens: MsalTokens, entra: MemoryEntra) -> None:
    entra.answer = refused(700016, status=400)
    with pytest.raises(SignInError):
        await tokens.token(ACME)
    entra.answer = None
    assert "token-2" == await tokens.token(ACME)


@pytest.mark.parametrize("where", ["discovery", "answer"])
@pytest.mark.parametrize(
    ("told", "asked_s"),
    [
        (Reply(429, "{}", {"Retry-After": "7"}), 7.0), (Reply(503, "<html>"), None), (Reply(500, "{}"), None),
        (Reply(200, '{"access_token": "leaked'), None), (Reply(200, "[]"), None), (httpx.ReadTimeout("slow"), None),
        (ConnectionResetError("gone"), None), (Reply(400, '{"error": "temporarily_unavailable"}'), None),
    ],
)  # fmt: skip
async def test_what_passes_is_no_refusal(
    tokens: MsalTokens, entra: MemoryEntra, caplog: pytest.LogCaptureFixture, where: str, told: Any, asked_s: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    setattr(entra, where, told)
    with pytest.raises(SignInUnavailableError) as raised:
        await tokens.token(ACME)
    assert asked_s == raised.value.retry_after_s
    assert "leaked" not in f"{caplog.text} {raised.value}"
    setattr(entra, where, None)
    assert (await tokens.token(ACME)).startswith("token-")


async def test_a_tenant_that_entra_does_not_know_is_told(tokens: MsalTokens, entra: MemoryEntra) -> None:
    entra.discovery = Reply(400, '{"error": "invalid_tenant"}')
    with pytest.raises(SignInError, match="acme: sign-in: Entra ID knows no such tenant"):
        await tokens.token(ACME)


async def test_a_sign_in_that_hangs_keeps_no_other_tenant_from_its_token(
    tokens: MsalTokens, entra: MemoryEntra
) -> None:
    await tokens.token(ACME)
    hanging = [GraphTenant(f"t{n}", f"7f0c9c1e-43a8-4a8e-8a51-{n:012d}") for n in range(40)]
    entra.held = {tenant.ms_tenant_id for tenant in hanging}
    waiting = [asyncio.create_task(tokens.token(tenant)) for tenant in hanging]
    await asyncio.sleep(0)
    assert "token-1" == await asyncio.wait_for(tokens.token(ACME), 5)
    entra.release.set()
    await asyncio.gather(*waiting)


async def test_no_more_tenants_are_kept_than_said_and_the_longest_unused_goes_first(entra: MemoryEntra) -> None:
    tokens = MsalTokens("the-app", SECRET, http_client=entra, tenants_kept=2)
    third = GraphTenant("third", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d203")
    for tenant in (ACME, OTHER, ACME, third, ACME):
        await tokens.token(tenant)
    assert 3 == len(entra.forms)
    await tokens.token(OTHER)
    assert 4 == len(entra.forms)


def test_without_a_client_of_somebody_elses_the_own_one_is_closed() -> None:
    MsalTokens("the-app", SECRET).close()


async def test_the_clients_of_others_are_left_open(tokens: MsalTokens) -> None:
    await tokens.token(ACME)
    tokens.close()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "poolwatch")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    named = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = named.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=365))
    return dated.sign(key, hashes.SHA256())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
@pytest.mark.parametrize("form", ["pem", "pfx"])
async def test_a_certificate_signs_what_is_sent_and_the_key_stays_here(
    entra: MemoryEntra, tmp_path: Path, key: rsa.RSAPrivateKey, certificate: x509.Certificate,
    form: str, passphrase: str | None,
) -> None:  # fmt: skip
    secret = SecretStr(passphrase) if passphrase else None
    encoded = passphrase.encode() if passphrase else None
    credential: Credential
    if form == "pem":
        (tmp_path / "key.pem").write_bytes(_pem(key, encoded))
        (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        credential = PemCertificate(tmp_path / "key.pem", tmp_path / "cert.pem", secret)
    else:
        encryption = serialization.BestAvailableEncryption(encoded) if encoded else serialization.NoEncryption()
        pfx = pkcs12.serialize_key_and_certificates(b"poolwatch", key, certificate, None, encryption)
        (tmp_path / "app.pfx").write_bytes(pfx)
        credential = PfxCertificate(tmp_path / "app.pfx", secret)
    assert "token-1" == await signing_in(entra, credential).token(ACME)
    assertion = entra.forms[0]["client_assertion"]
    text = assertion if isinstance(assertion, str) else assertion.decode()
    assert 2 == text.count(".")
    assert "client_secret" not in entra.forms[0]


async def test_a_federated_assertion_is_read_from_its_file_at_each_use(entra: MemoryEntra, tmp_path: Path) -> None:
    file = tmp_path / "assertion"
    tokens = signing_in(entra, FederatedAssertion(file))
    for content in ("first\n", "second\n"):
        file.write_text(content)
        await tokens.token(ACME)
        tokens.reject(ACME, None)
    assert ["first", "second"] == [form["client_assertion"] for form in entra.forms]


@pytest.mark.parametrize("case", ["missing", "no key", "wrong passphrase", "no passphrase", "no RSA", "no pfx", "gone"])
async def test_a_credential_that_cannot_be_used_is_told_without_what_is_in_it(
    entra: MemoryEntra, tmp_path: Path, key: rsa.RSAPrivateKey, case: str
) -> None:
    file = tmp_path / "file"
    contents = {
        "no key": b"hush-hush", "no RSA": _pem(ec.generate_private_key(ec.SECP256R1())), "no pfx": b"hush-hush",
        "wrong passphrase": _pem(key, b"open sesame"), "no passphrase": _pem(key, b"open sesame"),
    }  # fmt: skip
    if case in contents:
        file.write_bytes(contents[case])
    credential: Credential = PemCertificate(file, file, SecretStr("hush") if case == "wrong passphrase" else None)
    if case == "no pfx":
        credential = PfxCertificate(file)
    if case == "gone":
        credential = FederatedAssertion(file)
    with pytest.raises(SignInError, match="credential cannot be used") as raised:
        await signing_in(entra, credential).token(ACME)
    assert "hush" not in f"{raised.value} {raised.value.__cause__}"
    assert [] == entra.forms


def test_nothing_that_is_printed_holds_a_secret() -> None:
    assert "hush" not in repr(SECRET)
