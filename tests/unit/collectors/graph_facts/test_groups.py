"""Which users are in which template groups, and what changed since."""

import pytest

from collectors.graph.mapping.facts import Observation
from collectors.graph.mapping.groups import lifecycle, member, memberships, nested_group
from collectors.graph.mapping.values import MalformedEntryError
from tests.unit.collectors.graph_facts.entries import ADA, ADA_SUBJECT


def test_users_are_members() -> None:
    assert ADA_SUBJECT == member({"@odata.type": "#microsoft.graph.user", "id": ADA, "displayName": None})


def test_a_member_of_a_list_cast_to_users_has_no_type() -> None:
    assert ADA_SUBJECT == member({"id": ADA})


@pytest.mark.parametrize("kind", ["group", "device", "servicePrincipal", "orgContact", "hologram"])
def test_what_is_no_user_is_no_member(kind: str) -> None:
    assert member({"@odata.type": f"#microsoft.graph.{kind}", "id": ADA}) is None


@pytest.mark.parametrize("entry", [None, {}, {"id": None}, {"id": 7}, {"id": ADA, "@odata.type": 7}])
def test_a_malformed_member_is_refused(entry: object) -> None:
    with pytest.raises(MalformedEntryError):
        member(entry)


def test_groups_of_a_user_are_named_where_the_name_is_known() -> None:
    members = {"aa8c": ["user:ada", "user:ben", "user:ada"], "3e9d": ["user:ada"], "0000": []}
    found = memberships(members, {"aa8c": "TPL-Frontline", "3e9d": ""})
    assert {"user:ada": ("3e9d", "TPL-Frontline"), "user:ben": ("TPL-Frontline",)} == found


def test_groups_are_sorted_however_they_come() -> None:
    ids = [f"g{n}" for n in range(9)]
    assert {"user:ada": tuple(ids)} == memberships({group_id: ["user:ada"] for group_id in reversed(ids)}, {})


def test_lifecycle_facts_are_the_groups() -> None:
    assert Observation("lifecycle", "user:ada", {"groups": ["A", "B"]}) == lifecycle("user:ada", ("A", "B"))


def test_a_nested_group_is_told_apart_from_a_member() -> None:
    assert "3e9d" == nested_group({"@odata.type": "#microsoft.graph.group", "id": "3E9D"})
    assert nested_group({"@odata.type": "#microsoft.graph.user", "id": "5d2f"}) is None
