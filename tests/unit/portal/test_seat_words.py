"""How an explanation reads: one sentence for each way to be counted, or not."""

from typing import Any

import pytest

from licensing.criteria import compile_criteria
from licensing.rules import explain
from portal.web.seats.seat_words import because, cause_words, fact_words, name_of, none_found
from schemas.settings import TenantSettings

CRITERIA = compile_criteria(TenantSettings(tenant="contoso", gateways=["sbc1.contoso.example"]))
DIRECT_ROUTING = {
    "phone_number": {"number": "+15550100", "number_type": "directRouting"},
    "voice": {"enterprise_voice": True, "gateway": "sbc1.contoso.example"},
}
THROUGH_THE_GATEWAY = (
    "it has a Direct Routing number through the gateway sbc1.contoso.example, which the gateway criterion accepts"
)


@pytest.mark.parametrize(
    ("subject", "facts", "enabled", "words"),
    [
        ("user:1", DIRECT_ROUTING, 31, THROUGH_THE_GATEWAY),
        ("user:1", {"phone_number": {"number_type": "operatorConnect"}}, 31, "it has an Operator Connect number"),
        ("user:1", {"lifecycle": {"groups": ["Sales"]}}, 31, "it is in the template group Sales"),
        ("user:1", {"interface": {"changed_by": "ana"}}, 31, "it was changed by hand by ana"),
        ("number:+1", {"service_number": {}}, 31,
         "it is a service number without a dial-plan tag, which meets no criterion"),
        ("number:+1", {"dial_plan": {"tag": "fax"}}, 31,
         "the dial-plan tag fax meets no criterion, so the number is a service number"),
        ("user:1", {"lifecycle": {"groups": ["Sales"]}}, 0,
         "it matches Managed Users - By Template alone, and that is switched off"),
        ("user:1", DIRECT_ROUTING | {"directory": None}, 31, "the user is deleted"),
        ("user:1", {"subscription": {}}, 31, "it matches no factor"),
    ],
)  # fmt: skip
def test_a_sentence_says_why(subject: str, facts: dict[str, Any], enabled: int, words: str) -> None:
    assert words == because(_explained(subject, facts, enabled))


def test_a_subject_is_called_as_its_directory_or_its_dial_plan_calls_it() -> None:
    assert name_of({"facts": {"directory": {"facts": {"display_name": "Ana"}}}}) == "Ana"
    assert name_of({"facts": {"dial_plan": {"facts": {"name": "Lobby"}}}}) == "Lobby"
    assert name_of({"facts": {"directory": {"facts": None}}}) is None


def test_facts_are_told_in_words_and_only_those_that_are_known() -> None:
    facts = {"teams_phone": True, "skus": ["MCOEV", "SPE_E5"], "teams_phone_status": None, "account_enabled": False}
    assert [("Teams Phone", "yes"), ("Licences held", "MCOEV, SPE_E5"), ("Account enabled", "no")] == fact_words(facts)


def test_a_change_says_what_moved_it() -> None:
    assert cause_words({"cause": "event", "source": "graph"}) == "an observation by graph"
    assert cause_words({"cause": "settings", "source": None}) == "changed settings"


def _explained(subject: str, facts: dict[str, Any], enabled: int) -> dict[str, Any]:
    return {
        "decisions": [
            {"factor": one.factor, "matches": one.matches, "counted": one.counted, "reason": one.reason}
            for one in explain(subject, facts, CRITERIA, enabled)
        ]
    }


@pytest.mark.parametrize("factor", ["counted", "none", "all", "direct_routing"])
def test_an_empty_list_of_the_past_says_so_and_sends_nobody_to_import(factor: str) -> None:
    said = none_found(factor, "", past=True)
    assert " was " in said
    assert "import" not in said
    assert none_found(factor, "", past=False) != said


def test_an_empty_list_of_now_says_what_to_do() -> None:
    assert "import the exports" in none_found("counted", "", past=False)
    assert "“nobody”" in none_found("counted", "nobody", past=True)
