"""Owns signing in: the provider's one application, the tokens given to it, and what of them still counts."""

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from tests.support.graph.answers import Answer, RefusedError, failure
from tests.support.graph.directory import FakeTenant

LOGIN = "https://login.microsoftonline.com"
CLIENT_ID = "d0a4b7f2-9c3e-4f15-8a60-1b2c3d4e5f01"
CLIENT_SECRET = "invented-secret"  # of an application that is nowhere
_SCOPE = "https://graph.microsoft.com/.default"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that was given, and what it is good for."""

    ms_tenant_id: str
    roles: frozenset[str]
    expires_at: float


class SignIn:
    """The token endpoint of every tenant."""

    def __init__(self, tenants: Mapping[str, FakeTenant], origin: str) -> None:
        self.lifetime_s = 3599
        self._scopes = (_SCOPE, f"{origin}/.default")
        self._tenants = tenants
        self._issued: dict[str, Issued] = {}

    def discovery(self, tenant: str) -> Answer:
        """Answer .well-known/openid-configuration; a tenant that is not there is told as such."""
        if tenant not in self._tenants:
            return _refusal(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.")
        return Answer(
            body={
                "issuer": f"{LOGIN}/{tenant}/v2.0",
                "authorization_endpoint": f"{LOGIN}/{tenant}/oauth2/v2.0/authorize",
                "token_endpoint": f"{LOGIN}/{tenant}/oauth2/v2.0/token",
                "jwks_uri": f"{LOGIN}/{tenant}/discovery/v2.0/keys",
            }
        )

    def token(self, tenant: str, form: Mapping[str, str]) -> Answer:
        """Answer a request for a token by client credentials: a secret, or an assertion of the application."""
        if tenant not in self._tenants:
            return _refusal(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials" or form.get("scope") not in self._scopes:
            return _refusal(400, "invalid_scope", 70011, "The provided value for scope is not valid.")
        if form.get("client_id") != CLIENT_ID or not self._tenants[tenant].consented:
            message = f"Application with identifier '{form.get('client_id')}' was not found in the directory."
            return _refusal(400, "unauthorized_client", 700016, message)
        if form.get("client_secret") != CLIENT_SECRET and _issuer(form.get("client_assertion", "")) != CLIENT_ID:
            return _refusal(401, "invalid_client", 7000215, "Invalid client secret provided.")
        lifetime = {"expires_in": self.lifetime_s, "ext_expires_in": self.lifetime_s}
        return Answer(body={"token_type": "Bearer", **lifetime, "access_token": self.issue(tenant)})

    def issue(self, tenant: str) -> str:
        """Return a new token with what the tenant's administrator granted."""
        roles, now = frozenset(self._tenants[tenant].permissions), time.time()
        claims = {
            "aud": "https://graph.microsoft.com",
            "tid": tenant,
            "appid": CLIENT_ID,
            "roles": sorted(roles),
            "iat": int(now),
            "exp": int(now + self.lifetime_s),
            "uti": uuid.uuid4().hex,
        }
        token = f"{_part({'typ': 'JWT', 'alg': 'RS256'})}.{_part(claims)}.aW52ZW50ZWQ"
        self._issued[token] = Issued(tenant, roles, now + self.lifetime_s)
        return token

    def revoke(self, tenant: str) -> None:
        """Let no token that a tenant's application has count any more; new ones do."""
        for token, issued in list(self._issued.items()):
            if issued.ms_tenant_id == tenant:
                self._issued[token] = Issued(tenant, issued.roles, 0.0)

    def known(self, headers: Mapping[str, str]) -> Issued | None:
        """Return what the token of a request is, also one that counts no more."""
        return self._issued.get(headers.get("authorization", "").removeprefix("Bearer "))

    def check(self, headers: Mapping[str, str]) -> Issued:
        """Return what the token of a request is good for; 401 without one that counts."""
        issued = self.known(headers)
        if issued is None or issued.expires_at <= time.time():
            challenge = f'Bearer realm="", authorization_uri="{LOGIN}/common/oauth2/authorize", error="invalid_token"'
            message = "Access token has expired or is not yet valid." if issued else "Access token is empty or unknown."
            raise RefusedError(
                failure(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})
            )
        granted = self._tenants[issued.ms_tenant_id].permissions
        return Issued(issued.ms_tenant_id, issued.roles & granted, issued.expires_at)


def _part(content: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(content)).decode().rstrip("=")


def _issuer(assertion: str) -> object:
    """Return who an assertion says it is from; the fake knows no certificates, and takes its word."""
    parts = assertion.split(".")
    if len(parts) != 3:
        return None
    claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    return claims.get("iss")


def _refusal(status: int, error: str, code: int, message: str) -> Answer:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    text = f"AADSTS{code}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
    ids = {"trace_id": trace, "correlation_id": correlation}
    return Answer(status, {"error": error, "error_description": text, "error_codes": [code], "timestamp": now, **ids})
