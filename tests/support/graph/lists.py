"""Owns the plain resources: members of groups, Teams' configurations and numbers, SKUs, and single objects."""

from collections.abc import Callable
from typing import Any

from tests.support.graph import cursors
from tests.support.graph.answers import Answer, not_found
from tests.support.graph.answers import bad_request as bad
from tests.support.graph.calls import Call, number, selected
from tests.support.graph.filters import keep

_MOST_MEMBERS = 999
_MOST_CONFIGURATIONS = 999
_MOST_NUMBERS = 1000
_SHOWN = ("displayName", "mail", "userPrincipalName")


async def members(call: Call, group: str) -> Answer:
    """Direct members."""
    return _members(call, group, call.tenant.members)


async def transitive_members(call: Call, group: str) -> Answer:
    """All members, nested groups and their members."""
    return _members(call, group, call.tenant.transitive_members)


async def user_configurations(call: Call) -> Answer:
    """Teams configurations of the users who are not deleted, page by page."""
    with call.tenant.lock:
        rows = [row for user, row in call.tenant.configurations.items() if call.tenant.exists(user)]
    return _page(call, rows, "admin/teams/userConfigurations", default=500, most=_MOST_CONFIGURATIONS)


async def user_configuration(call: Call, user: str) -> Answer:
    """One Teams configuration."""
    with call.tenant.lock:
        if not call.tenant.exists(user):
            raise not_found(user)
        return _one(call, call.tenant.configurations[user], "admin/teams/userConfigurations/$entity")


async def number_assignments(call: Call) -> Answer:
    """Telephone numbers by `$top` and `$skip`; whether a link to the next page is sent is not documented."""
    top = number(call.query, "$top", 500, least=1, most=_MOST_NUMBERS)
    skip = number(call.query, "$skip", 0, least=0, most=10**9)
    with call.tenant.lock:
        rows = keep(call.tenant.numbers.values(), call.query.get("$filter", ""))
    given = [selected(row, call.query.get("$select", "")) for row in rows[skip : skip + top]]
    body: dict[str, Any] = {
        "@odata.context": call.context("admin/teams/telephoneNumberManagement/numberAssignments"),
        "value": given,
    }
    if call.graph.number_links and skip + top < len(rows):
        back = int(len(given) > 1 and call.graph.faults.repeats(call.ms_tenant_id))
        place = {"$top": str(top), "$skip": str(skip + top - back)}
        body["@odata.nextLink"] = call.link(call.path, {**call.query, **place})
    return Answer(body=body)


async def subscribed_skus(call: Call) -> Answer:
    """All SKUs; there are no pages."""
    rows = [selected(row, call.query.get("$select", "")) for row in call.tenant.subscribed_skus()]
    return Answer(body={"@odata.context": call.context("subscribedSkus"), "value": rows})


async def resource_accounts(call: Call) -> Answer:
    """Resource accounts and their applications; beta alone has them."""
    with call.tenant.lock:
        rows = [
            {
                "id": account,
                "userPrincipalName": call.tenant.configurations[account]["userPrincipalName"],
                "appId": application,
                "phoneNumber": next((f"tel:{number}" for number in call.tenant.numbers_of(account)), None),
            }
            for account, application in call.tenant.applications.items()
        ]
    return _page(call, rows, "resourceAccounts", default=100, most=999)


async def user(call: Call, user: str) -> Answer:
    """One user."""
    with call.tenant.lock:
        if not call.tenant.exists(user):
            raise not_found(user)
        return _one(call, call.tenant.users[user], "users/$entity")


async def group(call: Call, group: str) -> Answer:
    """One group."""
    with call.tenant.lock:
        if not call.tenant.exists(group):
            raise not_found(group)
        return _one(call, call.tenant.groups[group].properties, "groups/$entity")


def _members(call: Call, group: str, find: Callable[[str], list[str]]) -> Answer:
    tenant, users_only = call.tenant, call.path.endswith("/microsoft.graph.user")
    eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
    if users_only and not (eventual and call.query.get("$count") == "true"):
        raise bad("A cast needs $count=true and the header ConsistencyLevel: eventual.", "Request_UnsupportedQuery")
    with tenant.lock:
        if group not in tenant.groups or not tenant.exists(group):
            raise not_found(group)
        rows = [_member(call, member) for member in find(group) if not users_only or member in tenant.users]
    answer = _page(call, rows, "directoryObjects", default=100, most=_MOST_MEMBERS)
    if eventual and call.query.get("$count") == "true":
        answer.body["@odata.count"] = len(rows)
    return answer


def _member(call: Call, member: str) -> dict[str, Any]:
    tenant, is_user = call.tenant, member in call.tenant.users
    known = tenant.users[member] if is_user else tenant.groups[member].properties
    # Without a permission on users only their ids come.
    may_see = not is_user or not call.roles.isdisjoint({"User.Read.All", "Directory.Read.All"})
    shown = {name: known.get(name) if may_see else None for name in _SHOWN if is_user or name in known}
    return {"@odata.type": f"#microsoft.graph.{'user' if is_user else 'group'}", "id": member} | shown


def _page(call: Call, rows: list[dict[str, Any]], context: str, *, default: int, most: int) -> Answer:
    cursor = cursors.read(call) or cursors.first(call)
    size = number(cursor.query, "$top", default, least=1, most=most)
    found = keep(rows, cursor.query.get("$filter", ""))
    given = found[cursor.offset : cursor.offset + size]
    body: dict[str, Any] = {"@odata.context": call.context(context)}
    if cursor.offset + size < len(found):
        back = int(len(given) > 1 and call.graph.faults.repeats(call.ms_tenant_id))
        body["@odata.nextLink"] = cursors.moved(call, cursor, "page", offset=cursor.offset + size - back).link(call)
    body["value"] = [selected(row, cursor.query.get("$select", "")) for row in given]
    return Answer(body=body)


def _one(call: Call, row: dict[str, Any], context: str) -> Answer:
    return Answer(body={"@odata.context": call.context(context)} | selected(row, call.query.get("$select", "")))
