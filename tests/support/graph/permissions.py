"""Owns which application permission each resource needs, and how Graph refuses without it."""

from tests.support.graph.answers import Answer, RefusedError, failure

_DIRECTORY = ("Directory.Read.All",)
NEEDED = {
    "/users": ("User.Read.All", *_DIRECTORY),
    "/groups": ("GroupMember.Read.All", "Group.Read.All", *_DIRECTORY),
    "/subscribedSkus": ("LicenseAssignment.Read.All", "Organization.Read.All", *_DIRECTORY),
    "/admin/teams/userConfigurations": ("TeamsUserConfiguration.Read.All",),
    "/admin/teams/telephoneNumberManagement": ("TeamsTelephoneNumber.Read.All",),
    "/beta/admin/teams/resourceAccounts": ("TeamsResourceAccount.Read.All",),
}
"""Any one of these, by the beginning of the path; the first is the least."""

ALL = frozenset(needed[0] for needed in NEEDED.values())


def require(path: str, roles: frozenset[str]) -> None:
    """Refuse with 403 unless the roles reach for a path below the version."""
    for prefix, needed in NEEDED.items():
        if path.startswith(prefix) and roles.isdisjoint(needed):
            raise RefusedError(_teams_refusal(needed) if "/admin/teams" in path else _directory_refusal())


def _teams_refusal(needed: tuple[str, ...]) -> Answer:
    return failure(
        403,
        "forbidden",
        "Insufficient permission(s) for the request. API requires any of the following permission(s): "
        f"{', '.join(needed)}.",
        inner={
            "code": "Forbidden",
            "additionalData": {"action": "Add the required roles/permissions and try again."},
        },
    )


def _directory_refusal() -> Answer:
    return failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
