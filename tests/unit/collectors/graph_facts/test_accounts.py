"""What a userConfiguration says of a user's voice settings, and who is no user."""

from typing import Any

import pytest

from collectors.graph.mapping.facts import account
from collectors.graph.mapping.values import MalformedEntryError
from tests.unit.collectors.graph_facts.entries import ADA, ADA_SUBJECT, configuration, policy, routing


def voice_of(entry: object) -> Any:
    found = account(entry)
    assert (ADA_SUBJECT, "user") == (found.subject, found.kind)
    assert found.voice is not None
    assert ("voice", ADA_SUBJECT) == (found.voice.facet, found.voice.subject)
    return found.voice.facts


def test_a_user_has_enterprise_voice_and_a_routing_policy_but_no_gateway() -> None:
    assert {"enterprise_voice": True, "routing_policy": "FR-National"} == voice_of(configuration())


def test_a_user_without_enterprise_voice_is_known_to_have_none() -> None:
    entry = configuration(isEnterpriseVoiceEnabled=False, effectivePolicyAssignments=[])
    assert {"enterprise_voice": False} == voice_of(entry)


def test_what_is_absent_or_null_is_unknown() -> None:
    bare = {"id": ADA, "accountType": "user"}
    null = bare | {"isEnterpriseVoiceEnabled": None, "effectivePolicyAssignments": None}
    assert {} == voice_of(bare) == voice_of(null)


@pytest.mark.parametrize("absent", [None, {}, {"displayName": None}])
def test_a_routing_policy_without_a_name_is_unknown(absent: object) -> None:
    entry = configuration(
        effectivePolicyAssignments=[{"policyType": "OnlineVoiceRoutingPolicy", "policyAssignment": absent}]
    )
    assert {"enterprise_voice": True} == voice_of(entry)


def test_several_routing_policies_do_not_flicker() -> None:
    for order in (["B", "A"], ["A", "B"]):
        entry = configuration(effectivePolicyAssignments=[routing(name) for name in order])
        assert "A" == voice_of(entry)["routing_policy"]


def test_a_user_of_skype_on_premises_is_a_user() -> None:
    assert voice_of(configuration(accountType="sfbOnPremUser"))["enterprise_voice"] is True


@pytest.mark.parametrize(
    ("account_type", "kind"),
    [
        ("resourceAccount", "resource_account"),
        ("guest", "guest"),
        ("unknown", "other"),
        ("ineligibleUser", "other"),
        ("unknownFutureValue", "other"),
        ("hologram", "other"),
        (None, "other"),
    ],
)
def test_who_is_no_user_has_no_voice_settings_and_is_told_apart(account_type: str | None, kind: str) -> None:
    found = account(configuration(accountType=account_type))
    assert (ADA_SUBJECT, kind, None) == (found.subject, found.kind, found.voice)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"id": None},
        {"accountType": 3},
        {"isEnterpriseVoiceEnabled": "yes"},
        {"effectivePolicyAssignments": {"policyType": "OnlineVoiceRoutingPolicy"}},
        {"effectivePolicyAssignments": ["OnlineVoiceRoutingPolicy"]},
        {"effectivePolicyAssignments": [policy("OnlineVoiceRoutingPolicy", 7)]},  # type: ignore[arg-type]
    ],
)
def test_a_malformed_configuration_is_refused(otherwise: dict[str, Any]) -> None:
    with pytest.raises(MalformedEntryError):
        account(configuration(**otherwise))
