"""Owns the subscriptions of every tenant: what may be subscribed to, for how long, and who is told of which change."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tests.support.graph import cursors
from tests.support.graph.answers import Answer, RefusedError, bad_request, failure, not_found
from tests.support.graph.calls import Call
from tests.support.graph.directory import Change
from tests.support.graph.notifications import Notifier
from tests.support.graph.permissions import require
from tests.support.graph.sign_in import CLIENT_ID

LONGEST = timedelta(minutes=41_760)
LifecycleEvent = Literal["reauthorizationRequired", "subscriptionRemoved", "missed"]
_OWED = ("changeType", "notificationUrl", "resource", "expirationDateTime")
_MOST = 100
"""Of the application in one tenant."""
_OPTIONAL = ("clientState", "lifecycleNotificationUrl", "latestSupportedTlsVersion")


@dataclass(slots=True)
class Subscription:
    """One subscription: `shown` is what Graph shows of it."""

    ms_tenant_id: str
    shown: dict[str, Any]

    @property
    def expires(self) -> datetime:
        return datetime.fromisoformat(self.shown["expirationDateTime"])

    def wants(self, change: Change) -> bool:
        """Tell whether a change is of the subscribed resource and type."""
        if change.change_type not in self.shown["changeType"].split(","):
            return False
        kind, *rest = self.shown["resource"].strip("/").split("/")
        if kind.lower() != change.resource:
            return False
        return rest in ([], [change.object_id]) or (rest == [change.object_id, "members"] and bool(change.members))

    def note(self) -> dict[str, Any]:
        """Return what every notification of it says."""
        return {
            "subscriptionId": self.shown["id"],
            "subscriptionExpirationDateTime": self.expires.strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00"),
            "tenantId": self.ms_tenant_id,
            "clientState": self.shown["clientState"],
        }


class Subscriptions:
    """All subscriptions of the application. An expired one is gone. `ahead`: how far their clock is before ours."""

    def __init__(self, notifier: Notifier) -> None:
        self.ahead = timedelta(0)
        self.page_size = 100
        self._notifier = notifier
        self._held: dict[str, Subscription] = {}
        self._sequence = 638_500_000_000_000_000

    @property
    def now(self) -> datetime:
        """The time by their clock."""
        return datetime.now(UTC) + self.ahead

    def of(self, ms_tenant_id: str) -> list[Subscription]:
        """Return those of a tenant that have not expired."""
        now = self.now
        return [held for held in list(self._held.values()) if held.ms_tenant_id == ms_tenant_id and held.expires > now]

    async def create(self, call: Call) -> Answer:
        """Subscribe, after a handshake with each receiver."""
        body = call.body if isinstance(call.body, dict) else {}
        if missing := [name for name in _OWED if not body.get(name)]:
            raise bad_request(f"{', '.join(missing)} is missing.", "InvalidRequest")
        self._check(call, body)
        for receiver in ("notificationUrl", "lifecycleNotificationUrl"):
            if body.get(receiver) and not await self._notifier.shakes_hands(body[receiver]):
                raise bad_request(
                    "Subscription validation request failed. Must respond with 200 OK to this request.",
                    "InvalidRequest",
                )
        shown = {
            "id": str(uuid.uuid4()),
            "applicationId": CLIENT_ID,
            "creatorId": str(uuid.uuid5(uuid.NAMESPACE_DNS, CLIENT_ID)),
        }
        shown |= {name: body[name] for name in _OWED} | {name: body.get(name) for name in _OPTIONAL}
        absent = (
            "notificationQueryOptions",
            "includeResourceData",
            "encryptionCertificate",
            "encryptionCertificateId",
            "notificationUrlAppId",
        )
        self._held[shown["id"]] = Subscription(call.ms_tenant_id, shown | dict.fromkeys(absent))
        return Answer(201, _entity(call, self._held[shown["id"]]))

    async def show_all(self, call: Call) -> Answer:
        """List those of the tenant, page by page."""
        cursor = cursors.read(call) or cursors.first(call)
        held = self.of(call.ms_tenant_id)
        end = cursor.offset + self.page_size
        body: dict[str, Any] = {"@odata.context": call.context("subscriptions")}
        if end < len(held):
            body["@odata.nextLink"] = cursors.moved(call, cursor, "page", offset=end).link(call)
        return Answer(body=body | {"value": [each.shown for each in held[cursor.offset : end]]})

    async def show(self, call: Call, subscription: str) -> Answer:
        """Show one."""
        return Answer(body=_entity(call, self._find(call, subscription)))

    async def renew(self, call: Call, subscription: str) -> Answer:
        """Let one live longer."""
        held = self._find(call, subscription)
        until = (call.body or {}).get("expirationDateTime", "")
        self._check_expiry(until)
        held.shown["expirationDateTime"] = until
        return Answer(body=_entity(call, held))

    async def reauthorize(self, call: Call, subscription: str) -> Answer:
        """Take note that the application is still allowed."""
        self._find(call, subscription)
        return Answer(204)

    async def remove(self, call: Call, subscription: str) -> Answer:
        """End one."""
        del self._held[self._find(call, subscription).shown["id"]]
        return Answer(204)

    def drop(self, subscription: str) -> None:
        """End one without a word to anybody."""
        del self._held[subscription]

    def double(self, subscription: str) -> str:
        """Hold a second one of the same, as two requests at the same moment may make it; return its id."""
        first = self._held[subscription]
        second = str(uuid.uuid4())
        self._held[second] = Subscription(first.ms_tenant_id, first.shown | {"id": second})
        return second

    def tell(self, ms_tenant_id: str, change: Change) -> None:
        """Notify those who subscribed to a change."""
        for held in self.of(ms_tenant_id):
            if held.wants(change):
                self._sequence += 1
                self._notifier.send(held.shown["notificationUrl"], _changed(held, change, self._sequence))

    def tell_lifecycle(self, ms_tenant_id: str, event: LifecycleEvent) -> None:
        """Send a lifecycle event to every subscription of a tenant that has an address for it."""
        for held in self.of(ms_tenant_id):
            if event == "subscriptionRemoved":
                del self._held[held.shown["id"]]
            if url := held.shown["lifecycleNotificationUrl"]:
                self._notifier.send(url, held.note() | {"lifecycleEvent": event})

    def _check(self, call: Call, body: dict[str, Any]) -> None:
        resource = str(body["resource"]).strip("/")
        if resource.split("/")[0].lower() not in ("users", "groups"):
            raise bad_request("The resource cannot be subscribed to.", "InvalidRequest")
        require(f"/{resource}", call.roles)
        if not set(body["changeType"].split(",")) <= {"updated", "deleted"}:
            raise bad_request("The change type is not supported for this resource.", "InvalidRequest")
        if len(body.get("clientState") or "") > 128:
            raise bad_request("clientState is too long.", "InvalidRequest")
        self._check_expiry(body["expirationDateTime"])
        there, same = self.of(call.ms_tenant_id), (body["changeType"], resource)
        if len(there) >= _MOST:
            raise RefusedError(failure(403, "Forbidden", "The number of subscriptions has reached its limit."))
        if any(same == (held.shown["changeType"], held.shown["resource"].strip("/")) for held in there):
            raise RefusedError(
                failure(409, "Conflict", "Subscription already exists for the resource and change type.")
            )

    def _check_expiry(self, text: str) -> None:
        try:
            expires = datetime.fromisoformat(text)
        except ValueError:
            raise bad_request("expirationDateTime is no time.", "InvalidRequest") from None
        if expires.tzinfo is None:
            raise bad_request("expirationDateTime has no zone.", "InvalidRequest")
        # A minute of grace: whoever asks for the longest reckons from his own clock.
        if not timedelta(0) < expires - self.now <= LONGEST + timedelta(minutes=1):
            raise bad_request("Subscription expiration can only be 41760 minutes in the future.", "InvalidRequest")

    def _find(self, call: Call, subscription: str) -> Subscription:
        for held in self.of(call.ms_tenant_id):
            if held.shown["id"] == subscription:
                return held
        raise not_found(subscription)


def _entity(call: Call, held: Subscription) -> dict[str, Any]:
    return {"@odata.context": call.context("subscriptions/$entity"), **held.shown}


def _changed(held: Subscription, change: Change, sequence: int) -> dict[str, Any]:
    kind = {"users": "User", "groups": "Group"}[change.resource]
    path = f"{kind}s/{change.object_id}"
    data: dict[str, Any] = {
        "@odata.type": f"#Microsoft.Graph.{kind}",
        "@odata.id": path,
        "id": change.object_id,
        "organizationId": held.ms_tenant_id,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
        "sequenceNumber": sequence,
    }
    if change.members:
        # Here the removal is a string, unlike in a delta round.
        gone = {"@removed": "deleted"}
        data["members@delta"] = [{"id": member} | ({} if there else gone) for member, there in change.members.items()]
    return {"changeType": change.change_type, "resource": path, "resourceData": data, **held.note()}
