"""Owns the membership of template groups: which users are in which, as lifecycle facts, and what changed in between.

Nested groups are flattened by Graph (transitiveMembers), not here.
"""

from collections.abc import Iterable, Mapping

from collectors.graph.facts import Observation
from collectors.graph.values import fields, text, user_of

Memberships = Mapping[str, tuple[str, ...]]
"""Sorted template groups by user; a user who is in none is not in it."""

_USER_TYPE = "#microsoft.graph.user"


def member(entry: object) -> str | None:
    """Return the subject of a member of a group; None for what is no user: a nested group, a device, a contact.

    Without a type it is a user: lists that are cast to users leave it out. Raises MalformedEntryError.
    """
    found = fields(entry, "the member")
    is_user = text(found, "@odata.type") in (None, _USER_TYPE)
    return user_of(found, "id") if is_user else None


def memberships(members: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Turn members by group id into groups by member. `names`: names by group id; a group without one keeps its id."""
    groups: dict[str, set[str]] = {}
    for group_id, subjects in members.items():
        name = names.get(group_id) or group_id
        for subject in subjects:
            groups.setdefault(subject, set()).add(name)
    return {subject: tuple(sorted(found)) for subject, found in groups.items()}


def lifecycle(subject: str, groups: Iterable[str]) -> Observation:
    """Return the lifecycle facts of a user; no groups = known to be in none."""
    return Observation("lifecycle", subject, {"groups": list(groups)})


def lifecycle_changes(before: Memberships, now: Memberships) -> list[Observation]:
    """Return the facts of each user whose groups are not what they were, those who left the last group among them."""
    subjects = sorted(before.keys() | now.keys())
    return [lifecycle(subject, now.get(subject, ())) for subject in subjects if before.get(subject) != now.get(subject)]
