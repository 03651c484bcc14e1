"""Owns which application permissions it takes to read a tenant, and which of them a token says were granted.

Source: Microsoft Graph, permissions reference; least privileges first.
"""

import base64
from dataclasses import dataclass
from typing import Final

import msgspec

from collectors.graph.api.clouds import Cloud
from schemas.settings import Graph
from schemas.sources import Part

_DIRECTORY: Final = "Directory.Read.All"


@dataclass(frozen=True, slots=True)
class Permission:
    """An application permission. `instead`: what includes it; `lost`: what comes of its absence."""

    part: Part
    least: str
    instead: tuple[str, ...]
    reads: str
    lost: str
    of_teams: bool = False
    """Of /admin/teams, which the global cloud alone has."""


PERMISSIONS: Final = (
    Permission(
        "users", "User.Read.All", (_DIRECTORY,), "users and their licences",
        "directory and subscription turn stale, and the count stays as it is",
    ),
    Permission(
        "skus", "LicenseAssignment.Read.All", ("Organization.Read.All", _DIRECTORY), "names and seats of licences",
        "licences show as ids, and nobody is told of too few Teams Phone licences",
    ),
    Permission(
        "accounts", "TeamsUserConfiguration.Read.All", (), "voice settings of Teams accounts",
        "voice turns stale: who has enterprise voice stays as it is", of_teams=True,
    ),
    Permission(
        "numbers", "TeamsTelephoneNumber.Read.All", (), "telephone numbers and their holders",
        "phone_number and service_number turn stale, and the count stays as it is", of_teams=True,
    ),
    Permission(
        "groups", "GroupMember.Read.All", ("Group.Read.All", _DIRECTORY), "members of template groups",
        "lifecycle turns stale: who is a user by template stays as it is",
    ),
    Permission(
        "notifications", "Group.Read.All", (), "change notifications of groups",
        "changes are found by polling alone",
    ),
    Permission(
        "applications", "TeamsResourceAccount.Read.All", (), "applications of resource accounts (beta)",
        "auto attendants and call queues are not told apart; the count is the same", of_teams=True,
    ),
)  # fmt: skip


def needed(graph: Graph, cloud: Cloud, *, beta: bool, notifications: bool) -> tuple[Permission, ...]:
    """Return the permissions that reading a tenant takes, by its settings, its cloud and those of the installation."""
    unwanted: set[Part] = set()
    if not graph.template_groups:
        unwanted |= {"groups", "notifications"}
    if not notifications:
        unwanted.add("notifications")
    if not beta:
        unwanted.add("applications")
    return tuple(
        permission for permission in PERMISSIONS
        if permission.part not in unwanted and (cloud.has_teams_admin or not permission.of_teams)
    )  # fmt: skip


def granted(access_token: str) -> frozenset[str] | None:
    """Return the application permissions in a token's claim `roles`; None if it cannot be read.

    Its signature is not looked at: it is our own token, and Graph decides what it is good for.
    """
    parts = access_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, msgspec.DecodeError):
        return None
    roles = claims.get("roles", []) if isinstance(claims, dict) else None
    return frozenset(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else None
