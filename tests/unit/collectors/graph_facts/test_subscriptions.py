"""What an entry of users/delta says of a user's licences, and subscribedSkus of a tenant's."""

from typing import Any

import pytest

from collectors.graph.mapping.facts import USER_SELECT, Observation, directory
from collectors.graph.mapping.plans import (
    Sku,
    is_resource_account,
    names_of,
    subscribed_sku,
    subscription,
    teams_phone_seats,
)
from collectors.graph.mapping.values import MalformedEntryError
from tests.unit.collectors.graph_facts.entries import (
    ADA,
    ADA_SUBJECT,
    E5,
    MCOEV,
    MCOEV_GOV,
    MCOEV_VIRTUALUSER,
    MCOEVSMB,
    TEAMS1,
    Json,
    plan,
    removed,
    sku,
    user,
)

NAMES = {E5: "ENTERPRISEPREMIUM"}


def facts_of(entry: Json, names: dict[str, str] = NAMES) -> Any:
    observed = subscription(entry, names)
    assert observed is not None
    assert ("subscription", ADA_SUBJECT) == (observed.facet, observed.subject)
    return observed.facts


def test_skus_have_part_numbers_where_known_and_are_sorted() -> None:
    licences = [{"skuId": sku_id} for sku_id in ("FFFF-1", "0000-2", E5.upper(), E5)]
    assert ["0000-2", "ENTERPRISEPREMIUM", "ffff-1"] == facts_of(user(assignedLicenses=licences))["skus"]


@pytest.mark.parametrize("plan_id", [MCOEV, MCOEV_GOV, MCOEVSMB, MCOEV.upper()])
@pytest.mark.parametrize("status", ["Enabled", "Warning"])
def test_a_usable_teams_phone_plan_makes_a_teams_phone_user(plan_id: str, status: str) -> None:
    facts = facts_of(user(assignedPlans=[plan(TEAMS1, "Deleted"), plan(plan_id, status)]))
    assert (True, status) == (facts["teams_phone"], facts["teams_phone_status"])


@pytest.mark.parametrize("status", ["Suspended", "LockedOut", "Deleted", "enabledLater"])
def test_a_plan_in_another_state_does_not_but_the_state_is_told(status: str) -> None:
    facts = facts_of(user(assignedPlans=[plan(MCOEV, status)]))
    assert (False, status) == (facts["teams_phone"], facts["teams_phone_status"])


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        (["Deleted", "Warning", "Enabled"], "Enabled"),
        (["Deleted", "Warning"], "Warning"),
        (["Deleted", "LockedOut", "Suspended"], "Suspended"),
        (["zeta", "alpha", "Deleted"], "Deleted"),
        (["zeta", "alpha"], "alpha"),
    ],
)
def test_of_several_plans_the_most_usable_one_counts_in_whatever_order(statuses: list[str], best: str) -> None:
    for order in (statuses, statuses[::-1]):
        facts = facts_of(user(assignedPlans=[plan(MCOEV, status) for status in order]))
        assert best == facts["teams_phone_status"]


def test_other_plans_and_that_of_resource_accounts_are_no_teams_phone() -> None:
    entry = user(assignedPlans=[plan(MCOEV_VIRTUALUSER, "Enabled"), plan(TEAMS1, "Enabled")])
    assert {"skus": ["ENTERPRISEPREMIUM"], "teams_phone": False} == facts_of(entry)


@pytest.mark.parametrize("bare", [{}, {"assignedLicenses": None, "assignedPlans": None}, {"assignedLicenses": []}])
def test_licences_that_were_never_set_or_cleared_are_none(bare: Json) -> None:
    assert {"skus": [], "teams_phone": False} == facts_of({"id": ADA} | bare)


def test_all_that_is_read_is_selected() -> None:
    entry = user(department="Sales", mail="ada.moreau@fabrikam.example")
    selected = {name: entry[name] for name in USER_SELECT}
    assert (directory(entry), subscription(entry, NAMES)) == (directory(selected), subscription(selected, NAMES))
    assert len(selected) == len(entry) - 2


def test_a_soft_deletion_says_nothing_of_licences_and_a_final_one_clears_them() -> None:
    assert subscription(removed("changed"), NAMES) is None
    assert subscription(removed("archived"), NAMES) is None
    assert Observation("subscription", ADA_SUBJECT, None) == subscription(removed("deleted"), NAMES)


@pytest.mark.parametrize("plans", ["Enabled", [None], [[]], [{"servicePlanId": 7}], [plan(MCOEV, ["x"])]])  # type: ignore[arg-type]
def test_plans_of_wrong_types_are_refused(plans: object) -> None:
    with pytest.raises(MalformedEntryError):
        subscription(user(assignedPlans=plans), NAMES)


def test_resource_accounts_are_known_by_their_plan_unless_they_hold_teams_phone() -> None:
    virtual = plan(MCOEV_VIRTUALUSER, "Enabled")
    assert is_resource_account(user(assignedPlans=[virtual]))
    assert is_resource_account(user(assignedPlans=[virtual, plan(MCOEV, "Deleted")]))
    assert not is_resource_account(user(assignedPlans=[virtual, plan(MCOEV, "Warning")]))
    assert not is_resource_account(user(assignedPlans=[plan(MCOEV_VIRTUALUSER, "Deleted")]))
    assert not is_resource_account(user())
    assert not is_resource_account(removed("changed"))


def test_a_sku_has_its_name_and_its_usable_seats() -> None:
    assert Sku(E5, "ENTERPRISEPREMIUM", True, 28, 14) == subscribed_sku(sku(E5.upper(), "ENTERPRISEPREMIUM", MCOEV))
    assert Sku("teams", None, False, 0, 14) == subscribed_sku(sku("teams", None, TEAMS1, prepaidUnits=None))


def test_names_and_seats_of_teams_phone_come_from_all_skus() -> None:
    skus = [
        subscribed_sku(sku(E5, "ENTERPRISEPREMIUM", TEAMS1, MCOEV.upper())),
        subscribed_sku(sku("smb", "MCOEVSMB_1", MCOEVSMB, consumedUnits=2)),
        subscribed_sku(sku("virtual", "PHONESYSTEM_VIRTUALUSER", MCOEV_VIRTUALUSER)),
        subscribed_sku(sku("nameless", None, TEAMS1)),
    ]
    assert {E5: "ENTERPRISEPREMIUM", "smb": "MCOEVSMB_1", "virtual": "PHONESYSTEM_VIRTUALUSER"} == names_of(skus)
    assert (56, 16) == teams_phone_seats(skus)


@pytest.mark.parametrize(
    ("otherwise", "sentence"),
    [
        ({"skuId": None}, "skuId is missing"),
        ({"consumedUnits": "14"}, "consumedUnits is a whole number"),
        ({"consumedUnits": True}, "consumedUnits is a whole number"),
        ({"prepaidUnits": {"enabled": 2.5}}, "enabled is a whole number"),
        ({"prepaidUnits": [25]}, "prepaidUnits is an object"),
    ],
)
def test_a_malformed_sku_is_refused(otherwise: Json, sentence: str) -> None:
    with pytest.raises(MalformedEntryError, match=sentence):
        subscribed_sku(sku(E5, "ENTERPRISEPREMIUM", MCOEV, **otherwise))
