"""Owns signing in to customers' tenants as the provider's application: tokens by msal, fetched once, kept while good.

msal is synchronous and not meant to be shared: it runs in threads, one application object and one lock a tenant. What
a sign-in is refused for is told in words; Entra ID's own texts, which name people and directories, go nowhere.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import httpx
import msal
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from collectors.graph.api.clouds import Cloud, GraphTenant
from collectors.graph.api.errors import Call, SignInError, SignInUnavailableError
from collectors.graph.api.retries import retry_after_s

TENANTS_KEPT: Final = 12_000
"""12 KiB each, as measured: a provider's whole fleet. One that falls out signs in again."""

_LOGIN_TIMEOUT_S: Final = 20.0
_LOGINS_AT_A_TIME: Final = 16
_EARLY_S: Final = 300.0
"""msal takes a token as expired this long before its end."""
_OUTAGE_S: Final = 60.0
"""How long a token that is still good is used before Entra ID, when it did not answer, is asked again."""


class Tokens(Protocol):
    """Gives tokens for Graph."""

    async def token(self, tenant: GraphTenant) -> str:
        """Return a token that is good for now. Raises SignInError, SignInUnavailableError."""

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        """Take note that Graph refused the tenant's token, and which claims (JSON) it wants the next one to have."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The application's password."""

    secret: SecretStr

    def for_msal(self) -> Any:
        return self.secret.get_secret_value()


@dataclass(frozen=True, slots=True)
class ClientSecretFile:
    """The application's password in a file, read again after a refusal."""

    file: Path

    def for_msal(self) -> Any:
        return self.file.read_text().strip()


@dataclass(frozen=True, slots=True)
class PemCertificate:
    """The application's RSA key and certificate, as PEM files."""

    private_key_file: Path
    certificate_file: Path
    passphrase: SecretStr | None = None

    def for_msal(self) -> Any:
        passphrase = self.passphrase.get_secret_value().encode() if self.passphrase else None
        key = load_pem_private_key(self.private_key_file.read_bytes(), passphrase)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("Entra ID takes RSA keys only")
        return {"private_key": key, "public_certificate": self.certificate_file.read_text()}


@dataclass(frozen=True, slots=True)
class PfxCertificate:
    """The application's RSA key and certificate in one PKCS#12 file."""

    file: Path
    passphrase: SecretStr | None = None

    def for_msal(self) -> Any:
        passphrase = self.passphrase.get_secret_value() if self.passphrase else None
        return {"private_key_pfx_path": str(self.file), "passphrase": passphrase, "public_certificate": True}


@dataclass(frozen=True, slots=True)
class FederatedAssertion:
    """A token of another issuer (workload identity) in a file that is rotated: read at each use."""

    file: Path

    def for_msal(self) -> Any:
        return {"client_assertion": lambda: self.file.read_text().strip()}


Credential = ClientSecret | ClientSecretFile | PemCertificate | PfxCertificate | FederatedAssertion

_NOT_CONSENTED = (
    "the tenant has not consented to the application",
    "let an administrator of the tenant open the consent address (`poolwatch graph check` prints it)",
)
_NO_TENANT = (
    "Entra ID knows no such tenant",
    "check the tenant's id and its cloud in the settings",
)
_REFUSALS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        90002: _NO_TENANT,
        700016: _NOT_CONSENTED,
        7000229: _NOT_CONSENTED,
        7000215: ("the client secret is wrong", "put the secret's value, not its id, into the settings"),
        7000222: ("the client secret has expired", "make a new one in the application's registration and put it in"),
    }
)


def admin_consent_address(tenant: GraphTenant, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the page on which an administrator of the tenant consents to all that the registration asks for."""
    query = urlencode(
        {"client_id": client_id, "scope": tenant.cloud.scope, "redirect_uri": redirect_uri, "state": state}
    )
    return f"{tenant.cloud.login}/{quote(tenant.ms_tenant_id, safe='')}/v2.0/adminconsent?{query}"


@dataclass(slots=True)
class _Session:
    """What is kept of a tenant."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    app: Any = None
    token: str | None = None
    fresh_until_s: float = 0.0
    good_until_s: float = 0.0
    rejected: bool = False
    claims: str | None = None

    def reject(self, claims: str | None) -> None:
        self.token, self.rejected, self.claims = None, True, claims

    def take_rejection(self) -> tuple[bool, str | None]:
        """Return and forget what was rejected: what comes while the next token is fetched is about that one."""
        taken = self.rejected, self.claims
        self.rejected, self.claims = False, None
        return taken


class MsalTokens:
    """Tokens by msal. `http_client` is msal's seam (get and post); without it connections are made and kept, until
    `close`."""

    def __init__(
        self,
        client_id: str,
        credential: Credential,
        *,
        http_client: Any = None,
        tenants_kept: int = TENANTS_KEPT,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client_id = client_id
        self._credential = credential
        self._own_http = None if http_client else httpx.Client(timeout=_LOGIN_TIMEOUT_S)
        self._http = http_client or self._own_http
        self._tenants_kept = tenants_kept
        self._now = now
        # Of its own: logins that hang must not take the threads of others, nor those theirs.
        self._threads = ThreadPoolExecutor(_LOGINS_AT_A_TIME, "graph-sign-in")
        self._sessions: OrderedDict[tuple[Cloud, str], _Session] = OrderedDict()

    async def token(self, tenant: GraphTenant) -> str:
        session = self._session(tenant)
        # Outside of lock and thread: tenants whose sign-in hangs must not keep the others from what they have.
        if session.token and self._now() < session.fresh_until_s:
            return session.token
        async with session.lock:
            if session.token and self._now() < session.fresh_until_s:
                return session.token
            return await self._fetch(tenant, session)

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        self._session(tenant).reject(claims)

    def close(self) -> None:
        """Close the connections that were made here, and let no login begin any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._own_http:
            self._own_http.close()

    def _session(self, tenant: GraphTenant) -> _Session:
        key = (tenant.cloud, tenant.ms_tenant_id)
        session = self._sessions.setdefault(key, _Session())
        self._sessions.move_to_end(key)
        while len(self._sessions) > self._tenants_kept:
            self._sessions.popitem(last=False)
        return session

    async def _fetch(self, tenant: GraphTenant, session: _Session) -> str:
        rejected, claims = session.take_rejection()
        try:
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._threads, self._sign_in, tenant, session, rejected, claims)
        except SignInUnavailableError:
            if rejected:
                session.reject(claims)
            if session.token and self._now() < session.good_until_s:
                session.fresh_until_s = min(session.good_until_s, self._now() + _OUTAGE_S)
                return session.token
            raise
        except SignInError:
            # With the application goes what it remembers: the credential that it read, and a refusal, which msal
            # would repeat for a minute after somebody has mended its cause.
            session.app = None
            raise
        token, now, lifetime_s = str(result["access_token"]), self._now(), float(result["expires_in"])
        session.good_until_s = now + lifetime_s
        # msal turns the lifetime's middle, where Entra ID names one, into a time of the day.
        refresh_s = float(result["refresh_on"]) - time.time() if "refresh_on" in result else lifetime_s
        session.fresh_until_s = now + min(lifetime_s - _EARLY_S, refresh_s)
        session.token = None if session.rejected else token
        return token

    def _sign_in(self, tenant: GraphTenant, session: _Session, rejected: bool, claims: str | None) -> dict[str, Any]:
        """Ask msal, which asks Entra ID where its own cache does not help. Runs in a thread."""
        call = Call(tenant.tenant, "sign-in")
        try:
            session.app = session.app or self._application(tenant, call)
            if rejected:
                session.app.remove_tokens_for_client()
            result: dict[str, Any] = session.app.acquire_token_for_client(
                scopes=[tenant.cloud.scope], claims_challenge=claims
            )
        except (OSError, TypeError, ValueError) as error:
            reason = f"the application's credential cannot be used ({type(error).__name__})"
            raise SignInError(call, reason, "check the files and the passphrase that the settings name") from error
        if "access_token" not in result:
            raise _refusal(call, result)
        return result

    def _application(self, tenant: GraphTenant, call: Call) -> Any:
        return msal.ConfidentialClientApplication(
            self._client_id,
            client_credential=self._credential.for_msal(),
            authority=f"{tenant.cloud.login}/{quote(tenant.ms_tenant_id, safe='')}",
            http_client=_LoginHttp(self._http, call),
            # The login hosts are ours to know: msal would ask the global cloud about those of the others.
            instance_discovery=False,
        )


def _refusal(call: Call, result: Mapping[str, Any]) -> SignInError:
    codes = [code for code in result.get("error_codes") or () if isinstance(code, int)]
    code = next((code for code in codes if code in _REFUSALS), codes[0] if codes else None)
    told = Call(call.tenant, call.request, code=f"AADSTS{code}" if code else "")
    return SignInError(told, *_REFUSALS.get(code or 0, (None, None)))


class _LoginHttp:
    """What msal sends its requests with. It raises what passes: msal would take a throttled discovery for an unknown
    tenant, and log the text of a broken answer, which may be a token."""

    def __init__(self, http: Any, call: Call) -> None:
        self._http = http
        self._call = call

    def get(self, url: str, **options: Any) -> Any:
        answer = self._checked(self._http.get, url, options)
        if answer.status_code >= 400:
            raise SignInError(self._call, *_NO_TENANT)
        return answer

    def post(self, url: str, **options: Any) -> Any:
        return self._checked(self._http.post, url, options)

    def close(self) -> None:
        """Leave the connections open: all tenants share them."""

    def _checked(self, send: Callable[..., Any], url: str, options: dict[str, Any]) -> Any:
        try:
            answer = send(url, **options)
        except (httpx.HTTPError, OSError) as error:
            reason = f"Entra ID cannot be reached ({type(error).__name__})"
            raise SignInUnavailableError(self._call, reason) from error
        headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
        if answer.status_code == 429 or answer.status_code >= 500 or not _is_sound(answer.text):
            raise SignInUnavailableError(self._call, retry_after_s=retry_after_s(headers))
        return answer


def _is_sound(text: str) -> bool:
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("error") not in ("temporarily_unavailable", "server_error")
