"""Owns the state of one Entra tenant: users, groups and SKUs, and every change to them; Teams' part is in `teams`."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from tests.support.graph.changelog import CREATED, REMOVED, ChangeLog
from tests.support.graph.permissions import ALL
from tests.support.graph.skus import SKUS, licences, plans, subscribed
from tests.support.graph.teams import TeamsState

Removal = Literal["changed", "deleted"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a subscription may hear of. `members`: who came (True) or left a group."""

    resource: Literal["users", "groups"]
    object_id: str
    change_type: Literal["updated", "deleted"]
    members: dict[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class FakeGroup:
    """A group; members are users and groups, also those that are soft-deleted now."""

    properties: dict[str, Any]
    members: set[str]


class FakeTenant(TeamsState):
    """One customer tenant. Ids are invented from the tenant's, the same in every run. Safe in every thread."""

    def __init__(self, ms_tenant_id: str) -> None:
        super().__init__(ms_tenant_id)
        self.users: dict[str, dict[str, Any]] = {}
        self.user_log = ChangeLog()
        self.groups: dict[str, FakeGroup] = {}
        self.group_log = ChangeLog()
        self.removed: dict[str, Removal] = {}
        self.seats: dict[str, int] = {}
        self.permissions: set[str] = set(ALL)
        """What its administrator granted. A removed one acts at once, a new one with the next token."""
        self.consented = True
        self.on_change: Callable[[Change], None] = lambda change: None

    def add_user(self, **properties: Any) -> str:
        """Create a user with a Teams configuration and return its id; `properties` as Graph names them."""
        with self.lock:
            number = self.user_log.head + 1
            user = str(properties.pop("id", self._invent("user", number)))
            self.users[user] = {
                "id": user,
                "userPrincipalName": f"user{number}@fabrikam.example",
                "displayName": f"User {number}",
                "accountEnabled": True,
                "userType": "Member",
            } | properties
            guest = self.users[user]["userType"] == "Guest"
            self._open_configuration(user, self.users[user]["userPrincipalName"], "guest" if guest else "user")
            self._user_changed(user, [CREATED])
        return user

    def change_user(self, user: str, **properties: Any) -> None:
        """Set properties as Graph names them; None shows as null from then on."""
        with self.lock:
            self.users[user] |= properties
            self._user_changed(user, properties)

    def set_licenses(self, user: str, *part_numbers: str, status: str = "Enabled") -> None:
        """Give a user exactly these SKUs (names of `skus.SKUS`), all their plans in one capability status."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.change_user(
            user, assignedLicenses=licences(part_numbers), assignedPlans=plans(part_numbers, status, at)
        )  # fmt: skip

    def remove_user(self, user: str, *, hard: bool = False) -> None:
        """Delete a user: soft, to be restored, or for good, with its configuration and its hold on numbers."""
        with self.lock:
            if user not in self.users:
                raise KeyError(f"there is no user {user}")
            self._leave_groups(user, for_good=hard)
            self.removed[user] = "deleted" if hard else "changed"
            if hard:
                for number in self.numbers_of(user):
                    self.unassign_number(number)
                del self.users[user], self.configurations[user]
            self.user_log.record(user, [REMOVED])
            self.on_change(Change("users", user, "deleted" if hard else "updated"))

    def restore_user(self, user: str) -> None:
        """Bring a soft-deleted user back, also into its groups."""
        with self.lock:
            if self.removed.get(user) != "changed":
                raise KeyError(f"{user} is not soft-deleted")
            del self.removed[user]
            self._user_changed(user, [CREATED])
            for group in self._groups_with(user):
                self._members_changed(group, {user: True})

    def add_group(self, display_name: str, members: Iterable[str] = (), **properties: Any) -> str:
        """Create a group of users and groups, and return its id."""
        with self.lock:
            group = str(properties.pop("id", self._invent("group", self.group_log.head + 1)))
            shown = {"id": group, "displayName": display_name, "description": None} | properties
            self.groups[group] = FakeGroup(shown, set(members))
            self.group_log.record(group, [CREATED])
            self.on_change(Change("groups", group, "updated", dict.fromkeys(self.groups[group].members, True)))
        return group

    def change_group(self, group: str, **properties: Any) -> None:
        """Set properties of a group as Graph names them."""
        with self.lock:
            self.groups[group].properties |= properties
            self.group_log.record(group, properties)
            self.on_change(Change("groups", group, "updated"))

    def set_group_members(self, group: str, members: Iterable[str]) -> None:
        """Make these the direct members of a group."""
        with self.lock:
            before, now = self.groups[group].members, set(members)
            self.groups[group].members = now
            self._members_changed(group, {member: member in now for member in sorted(before ^ now)})

    def remove_group(self, group: str) -> None:
        """Delete a group, softly."""
        with self.lock:
            self._leave_groups(group, for_good=False)
            self.removed[group] = "changed"
            self.group_log.record(group, [REMOVED])
            self.on_change(Change("groups", group, "updated"))

    def own_sku(self, part_number: str, enabled: int) -> None:
        """Let the tenant hold so many seats of a SKU of `skus.SKUS`."""
        with self.lock:
            self.seats[part_number] = enabled

    def subscribed_skus(self) -> list[dict[str, Any]]:
        """Return the rows of subscribedSkus; seats are consumed by the users who are not deleted."""
        held = [
            licence["skuId"]
            for user, properties in self.users.items()
            if self.exists(user)
            for licence in properties.get("assignedLicenses") or ()
        ]
        return [
            subscribed(self.ms_tenant_id, SKUS[name], seats, held.count(SKUS[name].sku_id))
            for name, seats in self.seats.items()
        ]

    def exists(self, object_id: str) -> bool:
        """Tell whether a user or group is there and not deleted."""
        return object_id not in self.removed and (object_id in self.users or object_id in self.groups)

    def members(self, group: str) -> list[str]:
        """Return the direct members of a group that are not deleted."""
        return sorted(filter(self.exists, self.groups[group].members))

    def transitive_members(self, group: str) -> list[str]:
        """Return all below a group, nested groups included; a circle of groups ends."""
        found: dict[str, None] = {}
        waiting = [group]
        while waiting:
            for member in self.members(waiting.pop(0)):
                if member not in found and member != group:
                    found[member] = None
                    waiting += [member] if member in self.groups else []
        return list(found)

    def _invent(self, kind: str, number: int) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.ms_tenant_id}/{kind}/{number}"))

    def _user_changed(self, user: str, what: Iterable[str]) -> None:
        self.user_log.record(user, what)
        self.on_change(Change("users", user, "updated"))

    def _groups_with(self, member: str) -> list[str]:
        return [group for group, state in self.groups.items() if member in state.members]

    def _leave_groups(self, member: str, *, for_good: bool) -> None:
        visible = self.exists(member)
        for group in self._groups_with(member):
            if for_good:
                self.groups[group].members.discard(member)
            if visible:
                self._members_changed(group, {member: False})

    def _members_changed(self, group: str, members: dict[str, bool]) -> None:
        if members:
            self.group_log.record(group, ["members", *members])
            self.on_change(Change("groups", group, "updated", members))
