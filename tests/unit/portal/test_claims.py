"""What claims make of somebody."""

from dataclasses import replace
from typing import Any

import pytest

from portal.access.claims import Grant, RoleRules, is_unchecked_admin, parse_grant, principal_of_claims
from portal.access.principals import Principal

RULES = RoleRules(
    roles_claims=("roles", "realm_access.roles", "https://poolwatch.example/roles"),
    provider_admins=frozenset({"Boss@msp.example", "00u-subject"}),
    grants={"group-1": Grant("provider_viewer"), "group-2": Grant("tenant_admin", frozenset({"acme"}))},
)


def granted(**claims: Any) -> tuple[str, list[str]] | None:
    found = principal_of_claims({"sub": "s", "email": "ana@msp.example"} | claims, RULES)
    return None if found is None else (found.role, sorted(found.tenants))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["poolwatch.provider_admin"], ("provider_admin", [])),
        ("poolwatch.provider_viewer", ("provider_viewer", [])),
        (["poolwatch.tenant_admin:contoso"], ("tenant_admin", ["contoso"])),
        (["poolwatch.tenant_viewer:contoso,acme"], ("tenant_viewer", ["acme", "contoso"])),
        (["group-1"], ("provider_viewer", [])),
        (["group-2", "poolwatch.tenant_admin:contoso"], ("tenant_admin", ["acme", "contoso"])),
        (["poolwatch.tenant_viewer:contoso", "poolwatch.tenant_admin:acme"], ("tenant_admin", ["acme"])),
        (["poolwatch.tenant_admin:acme", "poolwatch.provider_viewer"], ("provider_viewer", [])),
        ([], None),
        (None, None),
        (["provider_admin"], None),
        (["poolwatch.owner"], None),
        (["poolwatch.provider_admin:contoso"], None),
        (["poolwatch.tenant_admin:"], None),
        (["poolwatch.tenant_admin:Contoso"], None),
        (["poolwatch.tenant_admin"], None),
        ([{"poolwatch.provider_admin": True}, 7], None),
        ("another-application.poolwatch.provider_admin", None),
    ],
)
def test_the_highest_role_counts_with_the_tenants_given_for_it(values: Any, expected: Any) -> None:
    assert expected == granted(roles=values)


def test_a_role_without_tenants_takes_those_of_their_claim() -> None:
    assert ("tenant_viewer", ["acme"]) == granted(roles=["poolwatch.tenant_viewer"], tenants=["acme", "Not A Tenant"])
    assert ("tenant_viewer", ["b"]) == granted(roles=["poolwatch.tenant_viewer:b"], tenants=["acme"])


def test_roles_may_stand_inside_a_claim_or_under_a_name_with_dots() -> None:
    assert ("provider_admin", []) == granted(realm_access={"roles": ["poolwatch.provider_admin"]})
    assert ("provider_admin", []) == granted(**{"https://poolwatch.example/roles": "poolwatch.provider_admin"})
    assert None is granted(realm_access=["poolwatch.provider_admin"])


@pytest.mark.parametrize(
    ("claims", "admitted"),
    [
        ({"email": "boss@MSP.example", "email_verified": True}, True),
        ({"email": "boss@msp.example", "email_verified": "true"}, True),
        ({"email": "boss@msp.example"}, False),
        ({"email": "boss@msp.example", "email_verified": "yes"}, False),
        ({"email": "boss@msp.example", "email_verified": False}, False),
        ({"email": "boss@msp.example", "email_verified": None}, False),
        ({"sub": "00u-subject", "email_verified": False}, True),
        ({"sub": "Boss@msp.example"}, False),
        ({"email": "00u-subject"}, False),
        ({"preferred_username": "boss@msp.example"}, False),
        ({"email": None, "email_verified": True}, False),
        ({"email": ["boss@msp.example"], "email_verified": True}, False),
    ],
)
def test_the_first_admins_are_known_by_subject_or_by_an_address_that_was_checked(
    claims: dict[str, Any], admitted: bool
) -> None:
    assert (("provider_admin", []) if admitted else None) == granted(**claims)


@pytest.mark.parametrize(("told", "admitted"), [({}, True), ({"email_verified": False}, False)])
def test_a_provider_that_checks_all_addresses_need_not_say_so_but_is_believed_where_it_does(
    told: dict[str, Any], admitted: bool
) -> None:
    claims, trusting = {"sub": "s", "email": "boss@msp.example"} | told, replace(RULES, trusts_email=True)
    assert admitted is (principal_of_claims(claims, trusting) is not None)


def test_an_admins_address_that_does_not_count_is_noticed() -> None:
    claims: dict[str, Any] = {"sub": "s", "email": "Boss@msp.example"}
    assert [True, False, False] == [
        is_unchecked_admin(claims, RULES),
        is_unchecked_admin(claims | {"email_verified": True}, RULES),
        is_unchecked_admin(claims | {"email": "ana@msp.example"}, RULES),
    ]


def test_somebody_is_called_by_what_the_provider_tells_and_has_checked() -> None:
    claims: dict[str, Any] = {"sub": "s", "name": "Ana Alba", "roles": ["poolwatch.provider_admin"]}
    typed = claims | {"email": "boss@msp.example"}
    assert Principal("Ana Alba", "provider_admin") == principal_of_claims(claims, RULES)
    assert Principal("Ana Alba", "provider_admin") == principal_of_claims(typed, RULES)
    checked = Principal("boss@msp.example", "provider_admin")
    assert checked == principal_of_claims(typed | {"email_verified": True}, RULES)
    assert checked == principal_of_claims(typed, replace(RULES, trusts_email=True))
    as_token = principal_of_claims(claims | {"preferred_username": " token:ci"}, RULES)
    assert Principal("Ana Alba", "provider_admin") == as_token
    long = principal_of_claims(claims | {"name": "a" * 500}, RULES)
    assert long is not None
    assert 128 == len(long.name)


@pytest.mark.parametrize("text", ["", "owner", "provider_admin:contoso", "tenant_admin:", "tenant_admin:A B"])
def test_what_is_no_grant_is_told_with_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"provider_admin|tenant_admin:contoso"):
        parse_grant(text)
