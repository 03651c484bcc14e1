"""Owns the simulated people and numbers: what sources would tell of them, and the profile that follows from it.

The bits of a profile are those of `licensing.factors`, which collectors may not import; a test holds the two
together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from schemas.times import format_time

DIRECT_ROUTING, OPERATOR_CONNECT, LIFECYCLE, USER_INTERFACE, SERVICE_NUMBER, LOADED, LICENSED, DR_PHONE = (
    1 << place for place in range(8)
)
NumberType = Literal["directRouting", "operatorConnect", "callingPlan"]
FactsByFacet = dict[str, dict[str, Any]]


@dataclass(slots=True)
class Person:
    """A user of a tenant. `groups` None: no source ever told; `by_hand_at`: when somebody last changed it in the
    portal."""

    id: str
    display_name: str
    upn: str
    skus: tuple[str, ...] = ()
    teams_phone: bool = False
    number: str | None = None
    number_type: NumberType | None = None
    gateway: str | None = None
    groups: tuple[str, ...] | None = None
    by_hand_at: datetime | None = None
    has_left: bool = False
    is_blocked: bool = False
    """The account is disabled; it counts all the same."""
    observed_ms: int = 0
    """When a source last told of the person: later news must be newer."""

    @property
    def subject(self) -> str:
        return f"user:{self.id}"

    def facts(self) -> FactsByFacet:
        """Return what sources hold of the person now, by facet."""
        facts: FactsByFacet = {
            "directory": {
                "display_name": self.display_name, "user_principal_name": self.upn, "sip_address": f"sip:{self.upn}",
                "account_enabled": not (self.has_left or self.is_blocked), "deleted": self.has_left,
                "user_type": "Member",
            },
            "subscription": {"skus": list(self.skus), "teams_phone": self.teams_phone},
            "voice": {"enterprise_voice": self.number is not None, "gateway": self.gateway},
        }  # fmt: skip
        if self.number is not None:
            facts["phone_number"] = {"number": self.number, "number_type": self.number_type}
        if self.groups is not None:
            facts["lifecycle"] = {"groups": list(self.groups)}
        if self.by_hand_at is not None:
            facts["interface"] = {
                "changed_by": "operator@msp.example",
                "change": "calling policy",
                "changed_at": format_time(self.by_hand_at),
            }
        return facts

    def profile(self) -> int:
        """Return the profile under default criteria; 0 for somebody who has left."""
        if self.has_left:
            return 0
        profile = LICENSED if self.skus or self.teams_phone else 0
        if self.number_type == "directRouting":
            profile |= DIRECT_ROUTING | (DR_PHONE if self.teams_phone else 0)
        elif self.number_type == "operatorConnect":
            profile |= OPERATOR_CONNECT
        return profile | (LIFECYCLE if self.groups else 0) | (USER_INTERFACE if self.by_hand_at is not None else 0)


@dataclass(slots=True)
class Line:
    """A number that belongs to no user. Its tag names a site gateway (a Direct Routing number) or what it serves."""

    number: str
    tag: str | None
    name: str
    kind: str | None = None
    is_routed: bool = False
    """The tag names a gateway without a slip, so that it is a Direct Routing number and counts nowhere."""
    observed_ms: int = 0

    @property
    def subject(self) -> str:
        return f"number:{self.number}"

    def facts(self) -> FactsByFacet:
        """Return what sources hold of the number now, by facet."""
        facts: FactsByFacet = {"dial_plan": {"number": self.number, "tag": self.tag, "name": self.name}}
        if self.kind is not None:
            facts["service_number"] = {"number": self.number, "kind": self.kind, "held_by_user": False}
        return facts

    def profile(self) -> int:
        """Return the profile under default criteria."""
        return LOADED | (0 if self.is_routed else SERVICE_NUMBER)
