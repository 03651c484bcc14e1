"""Owns objects as Microsoft Graph returns them, each with what a test wants otherwise; all ids and numbers invented."""

from typing import Any

ADA = "5D2F0A51-7c0e-4d0b-9c0f-1f7b0a6c3e11"
ADA_SUBJECT = "user:5d2f0a51-7c0e-4d0b-9c0f-1f7b0a6c3e11"
RECEPTION = "c2b7e0aa-0b3f-4a74-8b39-8f4e1d2c6a71"
RECEPTION_SUBJECT = f"user:{RECEPTION}"

E5 = "c7df2760-2c81-4ef7-b578-5b5392b571df"
MCOEV = "4828c8ec-dc2e-4779-b502-87ac9ce28ab7"
MCOEV_GOV = "db23fce2-a974-42ef-9002-d78dd42a0f22"
MCOEVSMB = "ed777b71-af04-42ca-9798-84344c66f7c6"
MCOEV_VIRTUALUSER = "f47330e9-c134-43b3-9993-e7f004506889"
TEAMS1 = "57ff2da0-773e-42df-b2af-ffb7a2317929"

Json = dict[str, Any]


def user(**otherwise: Any) -> Json:
    """Return an entry of users/delta."""
    return {
        "id": ADA,
        "userPrincipalName": "ada.moreau@fabrikam.example",
        "displayName": "Ada Moreau",
        "accountEnabled": True,
        "userType": "Member",
        "assignedLicenses": [{"skuId": E5, "disabledPlans": []}],
        "assignedPlans": [plan(MCOEV, "Enabled")],
    } | otherwise


def plan(plan_id: str, status: str) -> Json:
    """Return one of a user's assignedPlans."""
    return {
        "assignedDateTime": "2026-03-02T08:15:30Z",
        "capabilityStatus": status,
        "service": "MicrosoftCommunicationsOnline",
        "servicePlanId": plan_id,
    }


def removed(reason: str) -> Json:
    """Return an entry of a user who is gone."""
    return {"id": ADA, "@removed": {"reason": reason}}


def configuration(**otherwise: Any) -> Json:
    """Return a userConfiguration."""
    return {
        "id": ADA,
        "userPrincipalName": "ada.moreau@fabrikam.example",
        "accountType": "user",
        "isEnterpriseVoiceEnabled": True,
        "featureTypes": ["Teams", "PhoneSystem"],
        "telephoneNumbers": [{"telephoneNumber": "+33199001001", "assignmentCategory": "primary"}],
        "effectivePolicyAssignments": [policy("TeamsCallingPolicy", "Agents"), routing("FR-National")],
    } | otherwise


def policy(policy_type: str, name: str) -> Json:
    """Return an effective policy."""
    assignment = {"displayName": name, "assignmentType": "direct", "policyId": "aW52ZW50ZWQ", "groupId": None}
    return {"policyType": policy_type, "policyAssignment": assignment}


def routing(name: str) -> Json:
    """Return an effective voice routing policy."""
    return policy("OnlineVoiceRoutingPolicy", name)


def assignment(**otherwise: Any) -> Json:
    """Return a numberAssignment: the primary number of Ada."""
    return {
        "id": "aW52ZW50ZWQ",
        "telephoneNumber": "+33199001001",
        "numberType": "operatorConnect",
        "activationState": "activated",
        "capabilities": ["userAssignment"],
        "assignmentTargetId": ADA,
        "assignmentCategory": "primary",
        "assignmentStatus": "userAssigned",
    } | otherwise


def sku(sku_id: str, part_number: str | None, *plans: str, **otherwise: Any) -> Json:
    """Return one of subscribedSkus: 25 enabled seats, 3 in grace, 14 consumed."""
    return {
        "skuId": sku_id,
        "skuPartNumber": part_number,
        "capabilityStatus": "Enabled",
        "consumedUnits": 14,
        "prepaidUnits": {"enabled": 25, "suspended": 100, "warning": 3, "lockedOut": 1000},
        "servicePlans": [{"servicePlanId": plan_id, "servicePlanName": "invented"} for plan_id in plans],
    } | otherwise
