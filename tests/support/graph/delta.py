"""Owns the rounds of users/delta and groups/delta: what is on a page, and where the next one starts."""

import re
from collections.abc import Iterator
from typing import Any

from tests.support.graph import cursors
from tests.support.graph.answers import Answer, bad_request
from tests.support.graph.calls import Call, names, selected
from tests.support.graph.changelog import CREATED, REMOVED, ChangeLog
from tests.support.graph.cursors import Cursor

MOST_OBJECTS = 200
MOST_LINKS = 500
_DEFAULTS = {
    "users": "displayName,mail,userPrincipalName",
    "groups": "displayName,description,mail,members",
}
_ONE_ID = re.compile(r"id eq '([0-9A-Za-z-]+)'")


class _Page:
    """A page that fills: objects, and links to members, are counted."""

    def __init__(self, call: Call, cursor: Cursor) -> None:
        self.call, self.cursor = call, cursor
        self.size = call.page_size(MOST_OBJECTS, MOST_OBJECTS)
        self.links = MOST_LINKS
        self.value: list[dict[str, Any]] = []
        self.before_last = cursor.after
        self.after = cursor.after

    @property
    def full(self) -> bool:
        return len(self.value) >= self.size or self.links <= 0

    def add(self, sequence: int, entry: dict[str, Any]) -> None:
        self.value.append(entry)
        self.before_last, self.after = self.after, sequence

    def ending(self, kind: cursors.Kind, **place: int | str) -> Answer:
        name = "@odata.nextLink" if kind == "page" else "@odata.deltaLink"
        link = cursors.moved(self.call, self.cursor, kind, **place).link(self.call)
        return Answer(body={"@odata.context": self.call.context(_resource(self.call)), name: link, "value": self.value})

    def next(self) -> Answer:
        # Repeating the last object needs another one before it, or the round would never end.
        repeat = len(self.value) > 1 and self.call.graph.faults.repeats(self.call.ms_tenant_id)
        return self.ending("page", since=self.cursor.since, after=self.before_last if repeat else self.after)


async def round_of(call: Call) -> Answer:
    """Answer a request of a delta round, of users or of groups."""
    with call.tenant.lock:
        head = _log(call).head
        if call.query.get("$deltatoken") == "latest":
            return _Page(call, cursors.first(call)).ending("delta", since=head, after=head)
        cursor = cursors.read(call, ("page", "delta")) or cursors.first(call)
        page = _Page(call, cursor)
        if call.graph.faults.leaves_empty(call.ms_tenant_id):
            return page.next()
        return _fill(page, _relevant(call, cursor))


def _fill(page: _Page, found: Iterator[tuple[int, str]]) -> Answer:
    call, cursor = page.call, page.cursor
    for sequence, object_id in found:
        if page.full:
            return page.next()
        entry = _entry(call, cursor, object_id)
        members = entry.pop("members@delta", [])
        start = cursor.offset if object_id == cursor.mark else 0
        if given := members[start : start + page.links]:
            entry["members@delta"] = given
            page.links -= len(given)
        if start + len(given) < len(members):
            page.value.append(entry)
            place: dict[str, int | str] = {"after": sequence - 1, "mark": object_id, "offset": start + len(given)}
            return page.ending("page", since=cursor.since, **place)
        page.add(sequence, entry)
    head = _log(call).head
    return page.ending("delta", since=head, after=head)


def _relevant(call: Call, cursor: Cursor) -> Iterator[tuple[int, str]]:
    """Yield what the round is still to tell: what is not selected is not tracked."""
    log = _log(call)
    tracked = {CREATED, REMOVED, *names(_select(call, cursor))}
    wanted = _ids(cursor.query.get("$filter", ""))
    for sequence, object_id in log.after(cursor.after):
        gone_before = cursor.since == 0 and call.tenant.removed.get(object_id) == "deleted"
        if gone_before or (wanted and object_id not in wanted):
            continue
        if not tracked.isdisjoint(log.changed(object_id, cursor.since)):
            yield sequence, object_id


def _entry(call: Call, cursor: Cursor, object_id: str) -> dict[str, Any]:
    if reason := call.tenant.removed.get(object_id):
        return {"id": object_id, "@removed": {"reason": reason}}
    select = _select(call, cursor)
    if _resource(call) == "users":
        return selected(call.tenant.users[object_id], select)
    entry = selected(call.tenant.groups[object_id].properties, select)
    if "members" in names(select):
        entry["members@delta"] = _links(call, object_id, cursor.since)
    return entry


def _links(call: Call, group: str, since: int) -> list[dict[str, Any]]:
    tenant, changed = call.tenant, call.tenant.group_log.changed(group, since)
    now = tenant.members(group)
    if CREATED in changed:
        return [_link(call, member) for member in now]
    present = set(now)
    touched = sorted(
        member for member in changed if member in tenant.users or member in tenant.groups or member in tenant.removed
    )
    return [
        _link(call, member) | ({} if member in present else {"@removed": {"reason": "deleted"}}) for member in touched
    ]


def _link(call: Call, member: str) -> dict[str, Any]:
    kind = "group" if member in call.tenant.groups else "user"
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": member}


def _resource(call: Call) -> str:
    return call.path.split("/")[1]


def _log(call: Call) -> ChangeLog:
    return call.tenant.user_log if _resource(call) == "users" else call.tenant.group_log


def _select(call: Call, cursor: Cursor) -> str:
    return cursor.query.get("$select") or _DEFAULTS[_resource(call)]


def _ids(condition: str) -> set[str]:
    found = [_ONE_ID.fullmatch(part.strip()) for part in condition.split(" or ")] if condition else []
    ids = {match[1] for match in found if match}
    if len(ids) < len(found) or len(ids) > 50:
        raise bad_request("Unsupported filter: at most 50 of id eq.", "Request_UnsupportedQuery")
    return ids
