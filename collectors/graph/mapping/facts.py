"""Owns what one Microsoft Graph object says of a user or a number: directory, voice, phone_number, service_number.

It owns no fetching and no memory of earlier rounds; licences are in `plans`, template groups in `groups`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from collectors.files.numbers import SERVICE_KINDS
from collectors.files.rows import RowRejectedError
from collectors.files.values import number_subject
from collectors.graph.mapping.values import (
    MalformedEntryError,
    fields,
    flag,
    known,
    objects,
    part,
    removal_of,
    text,
    user_of,
)
from schemas.events import FacetName

# An absent property reads as never set, so a round that does not select all of them would tell of users without
# licences; the same goes for rounds with `Prefer: return=minimal`, where absent means unchanged.
USER_SELECT = (
    "id",
    "userPrincipalName",
    "displayName",
    "accountEnabled",
    "userType",
    "assignedLicenses",
    "assignedPlans",
)

AccountKind = Literal["user", "resource_account", "guest", "other"]

_ACCOUNT_KINDS: dict[str, AccountKind] = {
    "user": "user",
    "sfbOnPremUser": "user",
    "resourceAccount": "resource_account",
    "guest": "guest",
}


@dataclass(frozen=True, slots=True)
class Observation:
    """What Graph says of one facet of one subject; only known facts are in `facts`, None is a clear."""

    facet: FacetName
    subject: str
    facts: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Account:
    """A Teams account, and its voice settings if it is a user's."""

    subject: str
    kind: AccountKind
    voice: Observation | None


def directory(entry: object) -> Observation | None:
    """Map an entry of users/delta. Soft-deleted = `deleted`, gone for good = a clear; None = removed in a way that is
    not known. Raises MalformedEntryError."""
    user = fields(entry, "the user")
    subject, removal = user_of(user, "id"), removal_of(user)
    if removal == "deleted":
        return Observation("directory", subject, None)
    if removal not in (None, "changed"):
        return None
    facts = {
        "display_name": text(user, "displayName"),
        "user_principal_name": text(user, "userPrincipalName"),
        "account_enabled": flag(user, "accountEnabled"),
        "user_type": text(user, "userType"),
        "deleted": removal == "changed",
    }
    return Observation("directory", subject, known(facts))


def account(entry: object) -> Account:
    """Map a userConfiguration. Graph never tells the gateway. Raises MalformedEntryError."""
    configuration = fields(entry, "the user configuration")
    subject = user_of(configuration, "id")
    kind = _ACCOUNT_KINDS.get(text(configuration, "accountType") or "", "other")
    facts = {
        "enterprise_voice": flag(configuration, "isEnterpriseVoiceEnabled"),
        "routing_policy": _routing_policy(configuration),
    }
    return Account(subject, kind, Observation("voice", subject, known(facts)) if kind == "user" else None)


def number(
    entry: object, kinds: Mapping[str, AccountKind], applications: Mapping[str, str] = MappingProxyType({})
) -> Observation | None:
    """Map a numberAssignment: a user's primary number, a service number, or None for neither.

    `kinds`: what the holders' accounts are, by subject; one that is not in it is a user. A resource account's number
    counts as a service number, for as a user's it would count twice. `applications`: what v1.0 does not tell apart, by
    subject of the resource account. Raises MalformedEntryError.
    """
    assignment = fields(entry, "the number assignment")
    subject = _number_of(assignment)
    plain = subject.removeprefix("number:")
    status = (text(assignment, "assignmentStatus") or "").lower()
    number_type, category = text(assignment, "numberType"), text(assignment, "assignmentCategory")
    if status in SERVICE_KINDS:
        holder = (text(assignment, "assignmentTargetId") or "").lower()
        return _service_number(subject, applications.get(f"user:{holder}", SERVICE_KINDS[status]))
    if status != "userassigned":
        return None
    holder = user_of(assignment, "assignmentTargetId")
    if kinds.get(holder) == "resource_account":
        return _service_number(subject, applications.get(holder, "resource_account"))
    if kinds.get(holder) == "guest" or (category or "primary").lower() != "primary":
        return None
    return Observation("phone_number", holder, known({"number": plain, "number_type": number_type}))


def _service_number(subject: str, kind: str) -> Observation:
    facts = {"number": subject.removeprefix("number:"), "kind": kind, "held_by_user": False}
    return Observation("service_number", subject, facts)


def _routing_policy(configuration: Mapping[str, Any]) -> str | None:
    policies = [
        text(part(assigned, "policyAssignment"), "displayName")
        for assigned in objects(configuration, "effectivePolicyAssignments")
        if text(assigned, "policyType") == "OnlineVoiceRoutingPolicy"
    ]
    # One policy of a type is in effect; should there be more, their order must not make the fact flicker.
    return min((policy for policy in policies if policy is not None), default=None)


def _number_of(entry: Mapping[str, Any]) -> str:
    try:
        return number_subject(text(entry, "telephoneNumber"), "telephoneNumber")
    except RowRejectedError:
        raise MalformedEntryError("telephoneNumber is missing or not a number (64 of digits and +*x[],-)") from None
