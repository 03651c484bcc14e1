"""Owns a tenant's Teams state: user configurations and telephone numbers. Nothing of it shows in a delta round."""

import base64
import threading
import uuid
from datetime import UTC, datetime
from typing import Any, Literal

NumberKind = Literal["directRouting", "callingPlan", "operatorConnect"]
NumberStatus = Literal[
    "userAssigned", "voiceApplicationAssigned", "conferenceAssigned", "thirdPartyAppAssigned", "policyAssigned"
]
AccountType = Literal["user", "resourceAccount", "guest", "sfbOnPremUser", "unknown", "ineligibleUser"]

_NO_OPERATOR = str(uuid.UUID(int=0))


def graph_time(when: datetime) -> str:
    """Write an instant as Teams' resources do, in 100 ns."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


class TeamsState:
    """What Teams knows of the users of one tenant. Every method is safe in every thread."""

    def __init__(self, ms_tenant_id: str) -> None:
        self.ms_tenant_id = ms_tenant_id
        self.lock = threading.RLock()
        self.configurations: dict[str, dict[str, Any]] = {}
        self.numbers: dict[str, dict[str, Any]] = {}
        self.applications: dict[str, str] = {}
        """Of resource accounts: the id of the application that each is for."""

    def set_voice(
        self, user: str, *, enabled: bool, routing_policy: str | None = None, account_type: AccountType = "user"
    ) -> None:
        """Enable or disable enterprise voice; `routing_policy` is one given directly, None the tenant's default."""
        policy = {"displayName": routing_policy, "assignmentType": "direct", "policyId": "cG9saWN5", "groupId": None}
        given = [{"policyType": "OnlineVoiceRoutingPolicy", "policyAssignment": policy}] if routing_policy else []
        self._configure(
            user, isEnterpriseVoiceEnabled=enabled, accountType=account_type, effectivePolicyAssignments=given
        )

    def add_number(self, number: str, kind: NumberKind = "directRouting", *, service: bool = False) -> None:
        """Bring a number into the inventory, unassigned. `service`: not for people."""
        operator = _NO_OPERATOR if kind == "directRouting" else str(uuid.uuid5(uuid.NAMESPACE_DNS, kind))
        for_services = ["conferenceAssignment", "voiceApplicationAssignment"]
        with self.lock:
            self.numbers[number] = {
                "id": base64.urlsafe_b64encode(f"{operator}|{number}".encode()).decode().rstrip("="),
                "telephoneNumber": number,
                "operatorId": operator,
                "numberType": kind,
                "activationState": "activated",
                "capabilities": for_services if service else ["userAssignment"],
                "locationId": None,
                "civicAddressId": None,
                "networkSiteId": None,
                "assignmentTargetId": None,
                "assignmentCategory": None,
                "assignmentStatus": "unassigned",
                "portInStatus": None,
                "isoCountryCode": "FR",
                "city": None,
                "numberSource": "online",
                "supportedCustomerActions": ["release"],
                "reverseNumberLookupOptions": [],
            }

    def assign_number(
        self,
        target: str,
        number: str,
        kind: NumberKind = "directRouting",
        *,
        status: NumberStatus = "userAssigned",
        category: Literal["primary", "private", "alternate"] = "primary",
    ) -> None:
        """Give a number to a user, resource account, or policy (`status`); a new number comes into the inventory. It
        leaves whoever had it, and enables voice of a user."""
        with self.lock:
            self._take_back(number)
            if self.numbers.get(number, {}).get("numberType") != kind:
                self.add_number(number, kind, service=status not in ("userAssigned", "policyAssigned"))
            row = self.numbers[number]
            row |= {"assignmentTargetId": target, "assignmentStatus": status, "assignmentCategory": category}
            if target in self.configurations:
                held = self.configurations[target]["telephoneNumbers"]
                voice = {"isEnterpriseVoiceEnabled": True} if status == "userAssigned" else {}
                self._configure(
                    target,
                    telephoneNumbers=[*held, {"telephoneNumber": number, "assignmentCategory": category}],
                    **voice,
                )

    def unassign_number(self, number: str) -> None:
        """Take a number from whoever has it; it stays in the inventory."""
        with self.lock:
            self._take_back(number)
            self.numbers[number] |= {
                "assignmentTargetId": None, "assignmentStatus": "unassigned", "assignmentCategory": None
            }  # fmt: skip

    def release_number(self, number: str) -> None:
        """Take a number out of the inventory."""
        with self.lock:
            self._take_back(number)
            del self.numbers[number]

    def numbers_of(self, target: str) -> list[str]:
        """Return the numbers that a user or resource account has."""
        return [number for number, row in self.numbers.items() if row["assignmentTargetId"] == target]

    def _take_back(self, number: str) -> None:
        holder = self.numbers.get(number, {}).get("assignmentTargetId")
        if holder in self.configurations:
            held = self.configurations[holder]["telephoneNumbers"]
            self._configure(holder, telephoneNumbers=[given for given in held if given["telephoneNumber"] != number])

    def _open_configuration(self, user: str, principal_name: str, account_type: AccountType) -> None:
        now = graph_time(datetime.now(UTC))
        self.configurations[user] = {
            "id": user,
            "tenantId": self.ms_tenant_id,
            "userPrincipalName": principal_name,
            "accountType": account_type,
            "isEnterpriseVoiceEnabled": False,
            "createdDateTime": now,
            "modifiedDateTime": now,
            "featureTypes": ["Teams"],
            "telephoneNumbers": [],
            "effectivePolicyAssignments": [],
        }

    def _configure(self, user: str, **properties: Any) -> None:
        with self.lock:
            self.configurations[user] |= properties | {"modifiedDateTime": graph_time(datetime.now(UTC))}
