"""Owns the rules of the API: what each operation takes, in one table, and what becomes of whoever asks for it. Pure.

An operation that is in no rule answers provider admins alone.
"""

from collections.abc import Mapping
from typing import Literal

from portal.access.principals import Principal

Rule = Literal[
    "anybody",  # strangers as well
    "somebody",  # whoever is known; the endpoint shows and takes what is theirs alone
    "admin",  # whoever may change something; likewise
    "provider",
    "provider_admin",
    "sees",  # whoever may know of the tenant in the path
    "changes",
]
Verdict = Literal["welcome", "stranger", "forbidden", "unknown"]
"""`unknown`: to whoever asks, the tenant does not exist."""

_SAFE = ("GET", "HEAD")
_TENANT = "{tenant}"

_RULES: Mapping[tuple[str, str], Rule] = {
    ("GET", "/healthz"): "anybody",
    ("GET", "/readyz"): "anybody",
    ("GET", "/metrics"): "provider",
    ("GET", "/api/v1/backup/{table}"): "provider_admin",
    ("GET", "/api/v1/tenants"): "somebody",
    ("GET", "/api/v1/stream"): "somebody",
    ("GET", "/api/v1/alerts"): "somebody",
    ("GET", "/api/v1/reports/daily"): "somebody",
    ("GET", "/api/v1/reports/monthly"): "somebody",
    ("GET", "/api/v1/refreshes/{refresh_id}"): "somebody",
    ("POST", "/api/v1/events"): "admin",
    ("DELETE", "/api/v1/tenants/{tenant}"): "provider_admin",
    ("POST", "/api/v1/tenants/{tenant}/what-if"): "sees",  # it changes nothing
    ("GET", "/api/v1/provider/settings"): "provider",
    ("PUT", "/api/v1/provider/settings"): "provider_admin",
    ("PATCH", "/api/v1/provider/settings"): "provider_admin",
    ("GET", "/api/v1/tokens"): "admin",
    ("POST", "/api/v1/tokens"): "admin",
    ("DELETE", "/api/v1/tokens/{token_id}"): "admin",
    # Their tenant may be a customer's GUID: the endpoint finds out whose, among those that somebody sees.
    ("GET", "/api/v3/customer/{tenant}/licenseinfo"): "somebody",
    ("GET", "/api/v3/customer/{tenant}/licensedUsers"): "somebody",
}


def rule_of(method: str, template: str) -> Rule | None:
    """Return the rule of an operation by the template of its path, None where there is none."""
    own = _RULES.get((method, template))
    if own is not None or _TENANT not in template:
        return own
    return "sees" if method in _SAFE else "changes"


def verdict(rule: Rule | None, principal: Principal | None, tenant: str | None) -> Verdict:
    """Return what becomes of a request. `tenant`: that of the path, if it has one."""
    if rule == "anybody":
        return "welcome"
    if principal is None:
        return "stranger"
    if rule == "somebody":
        return "welcome"
    if tenant is not None and not principal.sees(tenant):
        return "unknown"
    return "welcome" if _is_allowed(rule, principal, tenant) else "forbidden"


def _is_allowed(rule: Rule | None, principal: Principal, tenant: str | None) -> bool:
    if rule == "admin":
        return principal.is_admin
    if rule == "provider":
        return principal.is_provider
    if rule == "sees":
        return tenant is not None
    if rule == "changes":
        return tenant is not None and principal.changes(tenant)
    return principal.changes_provider
