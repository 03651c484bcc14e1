"""Owns what the claims of an identity provider make of somebody: a principal, or nobody. Pure.

A grant is `ROLE` or `ROLE:TENANT,TENANT`, such as `provider_viewer` or `tenant_admin:contoso`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from portal.access.principals import Principal, Role
from schemas.identifiers import is_tenant

_OWN = "poolwatch."
"""What a claim's value begins with when it is a grant as it stands: `poolwatch.tenant_admin:contoso`."""
_LONGEST_NAME = 128
_OF_TOKENS = "token:"
"""What the names of API tokens begin with beside a change; nobody who signs in is recorded as one."""
_ORDER: tuple[Role, ...] = ("provider_admin", "provider_viewer", "tenant_admin", "tenant_viewer")


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, and the tenants that it is for; a tenant's role without tenants takes those of the tenants' claim."""

    role: Role
    tenants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RoleRules:
    """Which claims say what. `grants`: what else than a grant itself a value may mean, such as a group's id."""

    roles_claims: tuple[str, ...] = ("roles",)
    tenants_claim: str = "tenants"
    provider_admins: frozenset[str] = frozenset()
    """Who is provider admin whatever the claims say: e-mail addresses (what has an @) in any case, and subjects."""
    grants: Mapping[str, Grant] = field(default_factory=dict)
    trusts_email: bool = False
    """Whether the provider's addresses are checked also where it does not say so (`email_verified`)."""


def parse_grant(text: str) -> Grant:
    """Return the grant that a text names. Raises ValueError."""
    role, colon, names = text.partition(":")
    if role not in get_args(Role):
        raise ValueError(f"a role is one of {', '.join(_ORDER)}, for a tenant's with :TENANT behind it, not {text!r}")
    tenants = frozenset(name.strip() for name in names.split(",")) if colon else frozenset()
    wrong = sorted(name for name in tenants if not is_tenant(name))
    if wrong or (tenants and role.startswith("provider")):
        raise ValueError(f"{text!r} names no tenants of a tenant's role: tenant_admin:contoso is a grant")
    return Grant(cast(Role, role), tenants)


def principal_of_claims(claims: Mapping[str, Any], rules: RoleRules) -> Principal | None:
    """Return who the claims speak of, with the highest role that they grant; None = they grant none."""
    name = name_of(claims, rules)
    if _is_first_admin(claims, rules):
        return Principal(name, "provider_admin")
    values = [value for claim in rules.roles_claims for value in _values(claims, claim)]
    grants = [grant for value in values if (grant := _grant(value, rules)) is not None]
    named = frozenset(value for value in _values(claims, rules.tenants_claim) if is_tenant(value))
    for role in _ORDER:
        of_role = [grant.tenants or named for grant in grants if grant.role == role]
        tenants = frozenset[str]().union(*of_role)
        if of_role and (tenants or role.startswith("provider")):
            return Principal(name, role, frozenset() if role.startswith("provider") else tenants)
    return None


def name_of(claims: Mapping[str, Any], rules: RoleRules) -> str:
    """Return what somebody is called where it is recorded who changed something."""
    # Under an address that is nobody's but what was typed, somebody would be recorded as somebody else.
    told = (claims.get("email") if _is_checked(claims, rules) else None, claims.get("preferred_username"),
            claims.get("name"))  # fmt: skip
    for name in told:
        if isinstance(name, str) and name.strip() and not name.strip().startswith(_OF_TOKENS):
            return name.strip()[:_LONGEST_NAME]
    return str(claims["sub"])[:_LONGEST_NAME]


def is_unchecked_admin(claims: Mapping[str, Any], rules: RoleRules) -> bool:
    """Tell whether somebody has a provider admin's address that does not count, for nobody says it is checked."""
    return _has_admins_address(claims, rules) and not _is_checked(claims, rules)


def _is_first_admin(claims: Mapping[str, Any], rules: RoleRules) -> bool:
    by_address = _has_admins_address(claims, rules) and _is_checked(claims, rules)
    return by_address or any("@" not in named and claims["sub"] == named for named in rules.provider_admins)


def _has_admins_address(claims: Mapping[str, Any], rules: RoleRules) -> bool:
    email = claims.get("email")
    named = {each.lower() for each in rules.provider_admins if "@" in each}
    return isinstance(email, str) and email.lower() in named


def _is_checked(claims: Mapping[str, Any], rules: RoleRules) -> bool:
    # Many providers let people write into their own profile whatever address they like.
    if "email_verified" in claims:
        return claims["email_verified"] in (True, "true")
    return rules.trusts_email


def _grant(value: str, rules: RoleRules) -> Grant | None:
    if value in rules.grants:
        return rules.grants[value]
    if not value.startswith(_OWN):
        return None
    try:
        return parse_grant(value.removeprefix(_OWN))
    except ValueError:  # a role of another version, or a slip in the directory: it opens nothing
        return None


def _values(claims: Mapping[str, Any], name: str) -> list[str]:
    """Return the texts of a claim: one, or a list. A name with dots also leads into objects: `realm_access.roles`."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return [value for value in values if isinstance(value, str)]
