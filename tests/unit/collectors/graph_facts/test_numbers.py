"""What a numberAssignment says: a user's primary number, a service number, or nothing."""

import pytest

from collectors.graph.mapping.facts import AccountKind, Observation, number
from collectors.graph.mapping.values import MalformedEntryError
from tests.unit.collectors.graph_facts.entries import ADA_SUBJECT, RECEPTION, RECEPTION_SUBJECT, Json, assignment

NOBODY: dict[str, AccountKind] = {}
PRIMARY = {"number": "+33199001001", "number_type": "operatorConnect"}


def service(kind: str) -> Observation:
    facts = {"number": "+33199001001", "kind": kind, "held_by_user": False}
    return Observation("service_number", "number:+33199001001", facts)


def test_a_users_primary_number_is_the_users_phone_number() -> None:
    assert Observation("phone_number", ADA_SUBJECT, PRIMARY) == number(assignment(), NOBODY)


@pytest.mark.parametrize("category", [None, "primary", "Primary"])
def test_a_number_without_a_category_is_primary(category: str | None) -> None:
    found = number(assignment(assignmentCategory=category), NOBODY)
    assert Observation("phone_number", ADA_SUBJECT, PRIMARY) == found


@pytest.mark.parametrize("category", ["private", "alternate", "unknownFutureValue", "hologram"])
def test_a_second_line_is_no_primary_number(category: str) -> None:
    assert number(assignment(assignmentCategory=category), NOBODY) is None


@pytest.mark.parametrize("number_type", ["directRouting", "callingPlan", "internalError", "hologram"])
def test_number_types_are_kept_as_graph_spells_them(number_type: str) -> None:
    found = number(assignment(numberType=number_type), NOBODY)
    assert Observation("phone_number", ADA_SUBJECT, PRIMARY | {"number_type": number_type}) == found


def test_a_number_without_a_type_is_known_all_the_same() -> None:
    found = number(assignment(numberType=None), NOBODY)
    assert Observation("phone_number", ADA_SUBJECT, {"number": "+33199001001"}) == found


@pytest.mark.parametrize("written", ["+33199001001;ext=524", "tel:+33199001001", "+33 1 99 00 10 01"])
def test_numbers_are_written_as_the_imports_write_them(written: str) -> None:
    entry = assignment(telephoneNumber=written)
    assert Observation("phone_number", ADA_SUBJECT, PRIMARY) == number(entry, NOBODY)
    assert service("conference") == number(entry | {"assignmentStatus": "conferenceAssigned"}, NOBODY)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("voiceApplicationAssigned", "auto_attendant"),
        ("conferenceAssigned", "conference"),
    ],
)
def test_a_number_that_serves_is_a_service_number_whoever_holds_it(status: str, kind: str) -> None:
    entry = assignment(assignmentStatus=status, assignmentTargetId=RECEPTION)
    assert service(kind) == number(entry, NOBODY) == number(entry, {RECEPTION_SUBJECT: "resource_account"})
    assert service(kind) == number(entry | {"assignmentTargetId": None}, NOBODY)


def test_a_resource_accounts_number_is_a_service_number_only() -> None:
    entry = assignment(assignmentTargetId=RECEPTION.upper())
    assert service("resource_account") == number(entry, {RECEPTION_SUBJECT: "resource_account"})


def test_a_guest_has_no_phone_number_and_an_account_of_no_known_kind_has() -> None:
    assert number(assignment(), {ADA_SUBJECT: "guest"}) is None
    assert Observation("phone_number", ADA_SUBJECT, PRIMARY) == number(assignment(), {ADA_SUBJECT: "other"})


@pytest.mark.parametrize(
    "status",
    [
        "unassigned",
        "policyAssigned",
        "thirdPartyAppAssigned",
        "internalError",
        "unknownFutureValue",
        "hologram",
        None,
    ],
)
def test_a_number_in_another_state_says_nothing(status: str | None) -> None:
    assert number(assignment(assignmentStatus=status, assignmentTargetId=None), NOBODY) is None


@pytest.mark.parametrize(
    "otherwise",
    [
        {"telephoneNumber": None},
        {"telephoneNumber": "Ada's desk"},
        {"telephoneNumber": 33199001001},
        {"assignmentTargetId": None},
        {"assignmentTargetId": "ada moreau"},
        {"numberType": ["directRouting"]},
        {"assignmentStatus": {}},
    ],
)
def test_a_malformed_assignment_is_refused_without_a_word_of_what_it_holds(otherwise: Json) -> None:
    with pytest.raises(MalformedEntryError) as refused:
        number(assignment(**otherwise), NOBODY)
    assert not any(part in str(refused.value) for part in ("Ada", "ada", "3319"))
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
