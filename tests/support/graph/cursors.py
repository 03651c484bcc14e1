"""Owns the opaque tokens of links: what they carry, and how they are refused."""

import base64
import binascii
from typing import Literal

import msgspec

from tests.support.graph.answers import Answer, RefusedError, bad_request, failure
from tests.support.graph.calls import Call

Kind = Literal["delta", "page"]
_PARAMETERS: dict[Kind, str] = {"delta": "$deltatoken", "page": "$skiptoken"}


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a reader stands: `since` is the round before, `after` what was given of this one; `mark` an object in the
    middle of which it stands, by `offset`. `query` are the parameters of the first request."""

    kind: Kind
    tenant: str
    path: str
    generation: int
    query: dict[str, str]
    since: int = 0
    after: int = 0
    mark: str = ""
    offset: int = 0

    def link(self, call: Call) -> str:
        """Return the address that continues here."""
        token = base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")
        return call.link(self.path, {_PARAMETERS[self.kind]: token})


def read(call: Call, kinds: tuple[Kind, ...] = ("page",)) -> Cursor | None:
    """Return where a link stands, None for a first request. A link outlives neither its tenant's word nor its token."""
    for kind in kinds:
        if token := call.query.get(_PARAMETERS[kind]):
            cursor = _decode(token)
            if cursor.kind != kind or cursor.path != call.path:
                raise bad_request("The token is not of this resource.", "Request_BadRequest")
            if cursor.tenant != call.ms_tenant_id:
                raise RefusedError(
                    failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
                )
            if cursor.generation < call.graph.faults.generation(kind, call.ms_tenant_id):
                raise RefusedError(_expired(call, cursor))
            return cursor
    return None


def first(call: Call) -> Cursor:
    """Return the beginning of what a first request asks for."""
    query = {name: value for name, value in call.query.items() if name in ("$select", "$filter", "$top") and value}
    return Cursor("page", call.ms_tenant_id, call.path, 0, query)


def moved(call: Call, cursor: Cursor, kind: Kind, **place: int | str) -> Cursor:
    """Return the cursor elsewhere, good from now on."""
    generation = call.graph.faults.generation(kind, call.ms_tenant_id)
    return msgspec.structs.replace(cursor, **{"mark": "", "offset": 0, **place, "kind": kind, "generation": generation})


def _decode(token: str) -> Cursor:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=Cursor)
    except (binascii.Error, msgspec.MsgspecError, UnicodeDecodeError):
        raise bad_request("The token is malformed.", "Directory_BadRequest") from None


def _expired(call: Call, cursor: Cursor) -> Answer:
    if cursor.kind == "page":
        return failure(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
    if call.graph.faults.answers_gone(call.ms_tenant_id):
        location = {"Location": call.link(cursor.path, cursor.query | {"$deltatoken": ""})}
        return failure(410, "resyncRequired", "Resync required.", headers=location)
    return failure(
        400,
        "syncStateNotFound",
        "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
    )
