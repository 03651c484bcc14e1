"""Who matches what: every row of LICENSE-FACTORS §4 with what is unknown, null and cleared."""

import json
from typing import Any

import pytest

from licensing.criteria import compile_criteria
from licensing.facets import observe
from licensing.factors import (
    ALL,
    DIRECT_ROUTING,
    DR_PHONE,
    LICENSED,
    LIFECYCLE,
    LOADED,
    OPERATOR_CONNECT,
    SERVICE_NUMBER,
    USER_INTERFACE,
)
from licensing.profile import profile_of
from licensing.rules import explain, profile_from_facts
from schemas.intake import read_record
from schemas.settings import Criteria, TenantSettings

Facts = dict[str, dict[str, Any] | None]

TENANT = TenantSettings(
    tenant="contoso",
    gateways=["sbc1.contoso.example", "sbc2.contoso.example"],
    customer_guid="2f1d7c9a-1c1b-4a59-8f6d-3e9b0a4c7d11",
    ms_tenant_id="72f988bf-86f1-41af-91ab-2d7cd011db47",
    criteria=Criteria(reject_service_numbers="^internal$"),
)
OWN_GATEWAY = TENANT.model_copy(update={"criteria": Criteria(licensed_users_by_gateway="^sbc9")})
NO_GATEWAYS = TenantSettings(tenant="contoso")
DR: Facts = {"phone_number": {"number": "+1", "number_type": "directRouting"}}


def number_type(text: str | None) -> Facts:
    return {"phone_number": {"number_type": text}}


def voice(on: bool | None, gateway: str | None = None) -> Facts:
    return DR | {"voice": {"enterprise_voice": on, "gateway": gateway}}


USERS: list[tuple[str, Facts, int]] = [
    ("nothing is known", {}, 0),
    ("a Direct Routing number and no voice facet, for assigning it enables voice", DR, DIRECT_ROUTING),
    ("a Direct Routing number, voice on", voice(True), DIRECT_ROUTING),
    ("a Direct Routing number, voice null", voice(None), DIRECT_ROUTING),
    ("a Direct Routing number, a voice facet without facts", DR | {"voice": {}}, DIRECT_ROUTING),
    ("a Direct Routing number, voice off", voice(False), 0),
    ("a Direct Routing number, voice cleared", DR | {"voice": None}, 0),
    ("a Direct Routing number of any case", number_type("DIRECTROUTING"), DIRECT_ROUTING),
    ("one of the tenant's gateways", voice(True, "sbc2.contoso.example"), DIRECT_ROUTING),
    ("one of the tenant's gateways in capitals", voice(True, "SBC1.Contoso.Example"), DIRECT_ROUTING),
    ("a gateway of others", voice(True, "sbc3.fabrikam.example"), 0),
    ("a gateway that differs where the pattern has a dot", voice(True, "sbc1xcontoso.example"), 0),
    ("an empty gateway, which is an unknown one", voice(True, ""), DIRECT_ROUTING),
    ("an Operator Connect number", number_type("operatorConnect"), OPERATOR_CONNECT),
    ("an Operator Connect number of any case", number_type("OperatorConnect"), OPERATOR_CONNECT),
    ("an Operator Connect number, voice off", number_type("operatorConnect") | {"voice": None}, OPERATOR_CONNECT),
    ("a calling-plan number", number_type("callingPlan"), 0),
    ("a number type that nobody knows", number_type("satellite"), 0),
    ("a number without a type", number_type(None), 0),
    ("a phone number cleared", {"phone_number": None}, 0),
    ("a template group", {"lifecycle": {"groups": ["Sales"]}}, LIFECYCLE),
    ("in no template group", {"lifecycle": {"groups": []}}, 0),
    ("template groups unknown", {"lifecycle": {"groups": None}}, 0),
    ("a lifecycle facet cleared", {"lifecycle": None}, 0),
    ("a change by hand", {"interface": {"change": "forwarding"}}, USER_INTERFACE),
    ("a change by hand without any detail", {"interface": {}}, USER_INTERFACE),
    ("a change by hand cleared", {"interface": None}, 0),
    ("all four", DR | {"lifecycle": {"groups": ["a"]}, "interface": {}}, DIRECT_ROUTING | LIFECYCLE | USER_INTERFACE),
    ("a directory that has them", DR | {"directory": {"deleted": False}}, DIRECT_ROUTING),
    ("a directory that does not say deleted", DR | {"directory": {"deleted": None}}, DIRECT_ROUTING),
    ("a disabled account", DR | {"directory": {"account_enabled": False}}, DIRECT_ROUTING),
    ("a guest", DR | {"directory": {"user_type": "Guest"}}, DIRECT_ROUTING),
    ("deleted", DR | {"directory": {"deleted": True}, "subscription": {"skus": ["E5"]}}, 0),
    ("a directory that has them no more", DR | {"directory": None, "interface": {}}, 0),
    ("a Microsoft 365 licence", {"subscription": {"skus": ["E5"]}}, LICENSED),
    ("no Microsoft 365 licence", {"subscription": {"skus": []}}, 0),
    ("licences unknown", {"subscription": {}}, 0),
    ("Teams Phone without a list of licences", {"subscription": {"teams_phone": True}}, LICENSED),
    ("a subscription cleared", {"subscription": None}, 0),
    ("Teams Phone and Direct Routing", DR | {"subscription": {"teams_phone": True}}, 1 | LICENSED | DR_PHONE),
    ("Teams Phone, voice off", voice(False) | {"subscription": {"teams_phone": True}}, LICENSED),
    ("Teams Phone, another gateway", voice(True, "x") | {"subscription": {"teams_phone": True}}, LICENSED | DR_PHONE),
    ("Direct Routing and other licences", DR | {"subscription": {"skus": ["E1"]}}, DIRECT_ROUTING | LICENSED),
]  # fmt: skip

NUMBERS: list[tuple[str, Facts, int]] = [
    ("nothing is known", {}, 0),
    ("a dial plan without a tag", {"dial_plan": {}}, LOADED | SERVICE_NUMBER),
    ("a dial plan with an empty tag", {"dial_plan": {"tag": ""}}, LOADED | SERVICE_NUMBER),
    ("a tag that meets no criterion", {"dial_plan": {"tag": "fax"}}, LOADED | SERVICE_NUMBER),
    ("a tag that holds a gateway", {"dial_plan": {"tag": "via SBC1.contoso.example"}}, LOADED),
    ("a tag that is the Microsoft tenant", {"dial_plan": {"tag": "72F988BF-86F1-41AF-91AB-2D7CD011DB47"}}, LOADED),
    ("a tag that is the customer", {"dial_plan": {"tag": "2f1d7c9a-1c1b-4a59-8f6d-3e9b0a4c7d11"}}, LOADED),
    ("a tag that holds the customer and more", {"dial_plan": {"tag": "2f1d7c9a-1c1b-4a59-8f6d-3e9b0a4c7d11-x"}}, 48),
    ("a rejected tag", {"dial_plan": {"tag": "internal"}}, LOADED),
    ("a tag in which the rejected one occurs", {"dial_plan": {"tag": "internal2"}}, LOADED | SERVICE_NUMBER),
    ("a dial plan cleared", {"dial_plan": None}, 0),
    ("a service number", {"service_number": {"kind": "fax"}}, LOADED | SERVICE_NUMBER),
    ("a service number of a kind that nobody knows", {"service_number": {"kind": "odd"}}, LOADED | SERVICE_NUMBER),
    ("a service number without facts", {"service_number": {}}, LOADED | SERVICE_NUMBER),
    ("held by a user", {"service_number": {"held_by_user": True}}, LOADED),
    ("a holder unknown", {"service_number": {"held_by_user": None}}, LOADED | SERVICE_NUMBER),
    ("in the dial plan, held by a user", {"dial_plan": {}, "service_number": {"held_by_user": True}}, LOADED),
    ("a service number, rejected by its tag", {"dial_plan": {"tag": "internal"}, "service_number": {}}, LOADED),
    ("a service number, its dial plan cleared", {"dial_plan": None, "service_number": {}}, LOADED | SERVICE_NUMBER),
    ("in the dial plan, its holder cleared", {"dial_plan": {}, "service_number": None}, LOADED | SERVICE_NUMBER),
    ("both cleared", {"dial_plan": None, "service_number": None}, 0),
]


def profile_by_events(subject: str, facts: Facts) -> int:
    """The profile as the meter comes to it: from what it keeps of the events."""
    at = "2026-01-01T00:00:00Z"
    events = [
        {"type": facet, "tenant": "t", "subject": subject, "observed_at": at, "facts": known}
        for facet, known in facts.items()
    ]
    intake = read_record(json.dumps(events).encode(), 2**41)
    assert intake.rejections == []
    return profile_of([observe(event)[0] for event in intake.events], compile_criteria(TENANT))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "profile"), [pytest.param(facts, profile, id=name) for name, facts, profile in USERS]
)
def test_a_user_matches_what_the_table_says(facts: Facts, profile: int) -> None:
    assert profile_from_facts("user:a", facts, compile_criteria(TENANT)) == profile
    assert profile_by_events("user:a", facts) == profile


@pytest.mark.parametrize(
    ("facts", "profile"), [pytest.param(facts, profile, id=name) for name, facts, profile in NUMBERS]
)
def test_a_number_matches_what_the_table_says(facts: Facts, profile: int) -> None:
    assert profile_from_facts("number:+1", facts, compile_criteria(TENANT)) == profile
    assert profile_by_events("number:+1", facts) == profile


@pytest.mark.parametrize(
    ("settings", "gateway", "matches"),
    [
        (NO_GATEWAYS, "sbc3.fabrikam.example", True),
        (NO_GATEWAYS, None, True),
        (OWN_GATEWAY, "sbc9.contoso.example", True),
        (OWN_GATEWAY, "sbc1.contoso.example", False),
        (OWN_GATEWAY, None, True),
        (NO_GATEWAYS.model_copy(update={"criteria": Criteria(licensed_users_by_gateway="^sbc9")}), "sbc1", False),
    ],
)
def test_the_number_type_decides_where_gateways_or_the_gateway_are_unknown(
    settings: TenantSettings, gateway: str | None, matches: bool
) -> None:
    profile = profile_from_facts("user:a", voice(True, gateway), compile_criteria(settings))
    assert bool(profile & DIRECT_ROUTING) is matches


def test_the_hint_no_gateways_is_given_where_number_types_alone_decide() -> None:
    assert compile_criteria(NO_GATEWAYS).no_gateways
    assert not compile_criteria(TENANT).no_gateways
    assert not compile_criteria(OWN_GATEWAY).no_gateways


def reasons(subject: str, facts: Facts, mask: int = ALL) -> dict[str, str]:
    return {one.factor: one.reason for one in explain(subject, facts, compile_criteria(TENANT), mask)}


def test_an_explanation_names_the_winner_at_every_other_match() -> None:
    facts: Facts = voice(True, "sbc1.contoso.example") | {"lifecycle": {"groups": ["Sales", "EU"]}, "interface": {}}
    counted = [one.factor for one in explain("user:a", facts, compile_criteria(TENANT), ALL) if one.counted]
    assert counted == ["direct_routing"]
    said = reasons("user:a", facts)
    assert "through the gateway sbc1.contoso.example" in said["direct_routing"]
    assert said["lifecycle"] == ("in the template group Sales, EU; already counted at Managed Users - Direct Routing")
    assert said["operator_connect"] == "the number type is directRouting, not operatorConnect"
    assert said["service_number"] == "only numbers match this factor"


def test_an_explanation_says_that_a_factor_is_not_enabled_and_who_counts_instead() -> None:
    facts: Facts = {"lifecycle": {"groups": ["Sales"]}, "interface": {"changed_by": "ana", "change": "forwarding"}}
    decisions = explain("user:a", facts, compile_criteria(TENANT), ALL & ~LIFECYCLE)
    assert [one.factor for one in decisions if one.counted] == ["user_interface"]
    assert decisions[2].reason == "in the template group Sales; the factor is not enabled, so it counts nothing"
    assert decisions[3].reason == "changed by hand by ana: forwarding"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"dial_plan": {"tag": "internal"}}, "the dial-plan tag internal is rejected as a service number"),
        ({"dial_plan": {"tag": "sbc1.contoso.example"}}, "marks a Direct Routing number"),
        ({"dial_plan": {"tag": "fxa"}}, "the dial-plan tag fxa meets no criterion, so the number is a service number"),
        ({"service_number": {"held_by_user": True}}, "a user holds the number"),
        ({"dial_plan": {}}, "without a dial-plan tag"),
        ({}, "neither a dial plan nor a service-number source holds the number"),
    ],
)
def test_an_explanation_of_a_number_shows_its_tag(facts: Facts, words: str) -> None:
    assert words in reasons("number:+1", facts)["service_number"]


def test_a_deleted_user_is_explained_at_every_factor() -> None:
    assert set(reasons("user:a", DR | {"directory": None}).values()) == {"the user is deleted"}
