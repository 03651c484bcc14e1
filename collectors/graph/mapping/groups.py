"""Owns the membership of template groups: which users are in which, as lifecycle facts.

Nested groups are flattened by Graph (transitiveMembers), not here.
"""

from collections.abc import Iterable, Mapping

from collectors.graph.mapping.facts import Observation
from collectors.graph.mapping.values import fields, text, user_of

_USER_TYPE = "#microsoft.graph.user"
_GROUP_TYPE = "#microsoft.graph.group"


def member(entry: object) -> str | None:
    """Return the subject of a member of a group; None for what is no user: a nested group, a device, a contact.

    Without a type it is a user: lists that are cast to users leave it out. Raises MalformedEntryError.
    """
    found = fields(entry, "the member")
    is_user = text(found, "@odata.type") in (None, _USER_TYPE)
    return user_of(found, "id") if is_user else None


def nested_group(entry: object) -> str | None:
    """Return the id of a member that is a group, in lower case; None for what is none."""
    found = fields(entry, "the member")
    group = text(found, "id") if text(found, "@odata.type") == _GROUP_TYPE else None
    return group.lower() if group else None


def memberships(members: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Turn members by group id into sorted groups by member. `names`: names by group id; a group without one keeps its
    id."""
    groups: dict[str, set[str]] = {}
    for group_id, subjects in members.items():
        name = names.get(group_id) or group_id
        for subject in subjects:
            groups.setdefault(subject, set()).add(name)
    return {subject: tuple(sorted(found)) for subject, found in groups.items()}


def lifecycle(subject: str, groups: Iterable[str]) -> Observation:
    """Return the lifecycle facts of a user; no groups = known to be in none."""
    return Observation("lifecycle", subject, {"groups": list(groups)})
