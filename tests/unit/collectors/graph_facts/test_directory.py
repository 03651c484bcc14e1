"""What an entry of users/delta says of a user in the directory."""

from typing import Any

import pytest

from collectors.graph.mapping.facts import Observation, directory
from collectors.graph.mapping.values import MalformedEntryError
from tests.unit.collectors.graph_facts.entries import ADA, ADA_SUBJECT, removed, user


def facts_of(entry: object) -> Any:
    observed = directory(entry)
    assert observed is not None
    assert ("directory", ADA_SUBJECT) == (observed.facet, observed.subject)
    return observed.facts


def test_a_user_has_names_a_type_and_is_not_deleted() -> None:
    assert {
        "display_name": "Ada Moreau",
        "user_principal_name": "ada.moreau@fabrikam.example",
        "account_enabled": True,
        "user_type": "Member",
        "deleted": False,
    } == facts_of(user())


def test_a_disabled_account_is_known_to_be_disabled() -> None:
    assert facts_of(user(accountEnabled=False))["account_enabled"] is False


@pytest.mark.parametrize("cleared", [None, "", "  "])
def test_a_cleared_property_is_unknown_like_one_that_was_never_set(cleared: str | None) -> None:
    bare = {"id": ADA, "displayName": cleared, "userType": cleared, "accountEnabled": None}
    assert {"deleted": False} == facts_of(bare) == facts_of({"id": ADA})


def test_a_soft_deleted_user_is_deleted() -> None:
    assert {"deleted": True} == facts_of(removed("changed"))


def test_a_user_gone_for_good_is_cleared() -> None:
    assert Observation("directory", ADA_SUBJECT, None) == directory(removed("deleted"))


@pytest.mark.parametrize("marker", [{"reason": "archived"}, {"reason": None}, {}])
def test_a_removal_for_an_unknown_reason_says_nothing(marker: dict[str, Any]) -> None:
    assert directory(user(**{"@removed": marker})) is None


def test_a_name_cut_in_the_middle_of_a_letter_does_not_cost_the_user() -> None:
    assert "Ada ?" == facts_of(user(displayName="Ada \ud83d"))["display_name"]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (["not", "an object"], "the user is an object in Microsoft Graph, but was of the type list"),
        ({"displayName": "Ada Moreau"}, "id is missing or not an id"),
        (user(id=None), "id is missing or not an id"),
        (user(id="Ada Moreau"), "id is missing or not an id"),
        (user(id="ada/moreau"), "id is missing or not an id"),
        (user(id="\ud83d"), "id is not an id: it has letters beyond ASCII"),
        (user(id="é"), "id is not an id: it has letters beyond ASCII"),
        (user(id=7), "id is a text in Microsoft Graph, but was of the type int"),
        (user(displayName=["Ada Moreau"]), "displayName is a text in Microsoft Graph, but was of the type list"),
        (user(accountEnabled=1), "accountEnabled is true or false in Microsoft Graph, but was of the type int"),
        (user(**{"@removed": "changed"}), "@removed is an object in Microsoft Graph, but was of the type str"),
    ],
)
def test_a_malformed_entry_is_refused_without_a_word_of_what_it_holds(entry: object, sentence: str) -> None:
    with pytest.raises(MalformedEntryError) as refused:
        directory(entry)
    assert str(refused.value).startswith(sentence)
    assert "ada" not in str(refused.value).lower()
    # A traceback shows what an error was raised from, which names the value.
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
