"""Who may do what, by role and by the template of a path."""

import pytest

from portal.access.principals import LOCAL, Principal, Role
from portal.access.rules import Verdict, rule_of, verdict

ACME = frozenset(("acme",))
WHO: dict[str, Principal | None] = {
    "stranger": None,
    "provider admin": LOCAL,
    "provider viewer": Principal("v", "provider_viewer"),
    "acme admin": Principal("a", "tenant_admin", ACME),
    "acme viewer": Principal("b", "tenant_viewer", ACME),
    "other admin": Principal("c", "tenant_admin", frozenset(("other",))),
    "nobody's viewer": Principal("d", "tenant_viewer"),
}
TENANT = "/api/v1/tenants/{tenant}"


def verdicts(method: str, template: str) -> list[Verdict]:
    tenant = "acme" if "{tenant}" in template else None
    return [verdict(rule_of(method, template), principal, tenant) for principal in WHO.values()]


@pytest.mark.parametrize(
    ("method", "template", "expected"),
    [
        ("GET", "/healthz", "welcome welcome welcome welcome welcome welcome welcome"),
        ("GET", "/api/v1/tenants", "stranger welcome welcome welcome welcome welcome welcome"),
        ("GET", "/metrics", "stranger welcome welcome forbidden forbidden forbidden forbidden"),
        ("GET", f"{TENANT}/licenses", "stranger welcome welcome welcome welcome unknown unknown"),
        ("POST", f"{TENANT}/what-if", "stranger welcome welcome welcome welcome unknown unknown"),
        ("PATCH", f"{TENANT}/settings", "stranger welcome forbidden welcome forbidden unknown unknown"),
        ("POST", f"{TENANT}/made/tomorrow", "stranger welcome forbidden welcome forbidden unknown unknown"),
        ("DELETE", TENANT, "stranger welcome forbidden forbidden forbidden unknown unknown"),
        ("POST", "/api/v1/events", "stranger welcome forbidden welcome forbidden welcome forbidden"),
        ("PUT", "/api/v1/provider/settings", "stranger welcome forbidden forbidden forbidden forbidden forbidden"),
        ("GET", "/api/v1/made/tomorrow", "stranger welcome forbidden forbidden forbidden forbidden forbidden"),
    ],
)
def test_what_becomes_of_a_request(method: str, template: str, expected: str) -> None:
    assert expected.split(" ") == verdicts(method, template)


@pytest.mark.parametrize(
    ("own", "tenants", "role", "of", "is_covered"),
    [
        ("provider_admin", "", "provider_admin", "", True),
        ("provider_admin", "", "tenant_viewer", "acme", True),
        ("provider_viewer", "", "provider_viewer", "", False),
        ("tenant_admin", "acme other", "tenant_admin", "acme", True),
        ("tenant_admin", "acme other", "tenant_viewer", "acme other", True),
        ("tenant_admin", "acme", "tenant_viewer", "acme other", False),
        ("tenant_admin", "acme", "tenant_viewer", "", False),
        ("tenant_admin", "acme", "provider_viewer", "", False),
        ("tenant_admin", "acme", "provider_viewer", "acme", False),
        ("tenant_viewer", "acme", "tenant_viewer", "acme", False),
    ],
)
def test_a_token_may_never_do_more_than_who_hands_it_on(
    own: Role, tenants: str, role: Role, of: str, is_covered: bool
) -> None:
    assert is_covered is Principal("x", own, frozenset(tenants.split())).covers(role, frozenset(of.split()))
