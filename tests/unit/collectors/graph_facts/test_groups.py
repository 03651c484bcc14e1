"""Which users are in which template groups, and what changed since."""

import pytest

from collectors.graph.facts import Observation
from collectors.graph.groups import lifecycle, lifecycle_changes, member, memberships
from collectors.graph.values import MalformedEntryError
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


def test_only_users_whose_groups_changed_are_told_of_also_when_they_left_the_last() -> None:
    before = {"user:same": ("A",), "user:left": ("A",), "user:moved": ("A", "B")}
    now = {"user:new": ("B",), "user:same": ("A",), "user:moved": ("B",)}
    expected = {"user:left": [], "user:moved": ["B"], "user:new": ["B"]}
    changes = lifecycle_changes(before, now)
    assert [lifecycle(subject, groups) for subject, groups in expected.items()] == changes
    assert [] == lifecycle_changes(now, now)
