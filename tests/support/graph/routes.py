"""Owns which path of Graph is answered by what, all below the version."""

import re
from collections.abc import Awaitable, Callable

from tests.support.graph import lists
from tests.support.graph.answers import Answer, RefusedError, bad_request, failure
from tests.support.graph.batch import batch
from tests.support.graph.calls import Call
from tests.support.graph.delta import round_of
from tests.support.graph.permissions import require

Handler = Callable[..., Awaitable[Answer]]

# Delta comes first: users/{id} would take it for an id.
_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"/(?:users|groups)/delta", round_of),
    ("GET", r"/users/([^/]+)", lists.user),
    ("GET", r"/groups/([^/]+)", lists.group),
    ("GET", r"/groups/([^/]+)/members(?:/microsoft\.graph\.user)?", lists.members),
    ("GET", r"/groups/([^/]+)/transitiveMembers(?:/microsoft\.graph\.user)?", lists.transitive_members),
    ("GET", r"/subscribedSkus", lists.subscribed_skus),
    ("GET", r"/admin/teams/userConfigurations", lists.user_configurations),
    ("GET", r"/admin/teams/userConfigurations/([^/]+)", lists.user_configuration),
    ("GET", r"/admin/teams/telephoneNumberManagement/numberAssignments", lists.number_assignments),
    ("GET", r"/beta/admin/teams/resourceAccounts", lists.resource_accounts),
    ("POST", r"/subscriptions", lambda call: call.graph.subscriptions.create(call)),
    ("GET", r"/subscriptions", lambda call: call.graph.subscriptions.show_all(call)),
    ("GET", r"/subscriptions/([^/]+)", lambda call, held: call.graph.subscriptions.show(call, held)),
    ("PATCH", r"/subscriptions/([^/]+)", lambda call, held: call.graph.subscriptions.renew(call, held)),
    ("DELETE", r"/subscriptions/([^/]+)", lambda call, held: call.graph.subscriptions.remove(call, held)),
    (
        "POST",
        r"/subscriptions/([^/]+)/reauthorize",
        lambda call, held: call.graph.subscriptions.reauthorize(call, held),
    ),
    ("POST", r"/\$batch", batch),
]
_COMPILED = [(method, re.compile(path), handler) for method, path, handler in _ROUTES]


def plain(path: str) -> str:
    """Return a path with the one of its three spellings of delta that the fake goes by."""
    return re.sub(r"/(?:microsoft\.graph\.)?delta(?:\(\))?$", "/delta", path)


async def route(call: Call) -> Answer:
    """Answer a call; raises RefusedError."""
    for method, path, handler in _COMPILED:
        match = path.fullmatch(call.path)
        if match and method == call.method:
            require(call.path, call.roles)
            return await handler(call, *match.groups())
    if any(path.fullmatch(call.path) for _, path, _ in _COMPILED):
        raise RefusedError(failure(405, "Request_BadRequest", "The method is not allowed here."))
    raise bad_request("Resource not found for the segment.", "BadRequest")
