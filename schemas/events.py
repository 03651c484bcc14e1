"""Owns the events that collectors publish (INTERFACE §1): one frozen model a type, and the facts of each facet."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from schemas.identifiers import SourceName, SubjectId, TenantId
from schemas.times import Instant

MAX_FACTS_BYTES = 64 * 1024
MAX_ARRAY_EVENTS = 1_000
MAX_ARRAY_BYTES = 1024 * 1024
MAX_AHEAD_MS = 5 * 60 * 1000

FacetName = Literal[
    "directory", "interface", "subscription", "voice", "phone_number", "lifecycle", "dial_plan", "service_number"
]

USER_FACETS = frozenset({"directory", "interface", "subscription", "voice", "phone_number", "lifecycle"})
NUMBER_FACETS = frozenset({"dial_plan", "service_number"})


class Facts(BaseModel):
    """What is known of one facet. Unknown facts are left out; a known one has its JSON type and is not converted."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class DirectoryFacts(Facts):
    """Who a user is, and whether the directory still holds it."""

    display_name: str | None = None
    user_principal_name: str | None = None
    sip_address: str | None = None
    account_enabled: bool | None = None
    deleted: bool | None = None
    user_type: str | None = None


class InterfaceFacts(Facts):
    """The last change by hand in the portal."""

    changed_by: str | None = None
    change: str | None = None
    changed_at: Instant | None = None


class SubscriptionFacts(Facts):
    """Microsoft 365 licences held; `skus` are part numbers or ids."""

    skus: list[str] | None = None
    teams_phone: bool | None = None
    teams_phone_status: str | None = None


class VoiceFacts(Facts):
    """How a user is enabled for voice; `gateway` is a PSTN gateway's host name."""

    enterprise_voice: bool | None = None
    gateway: str | None = None
    routing_policy: str | None = None


class PhoneNumberFacts(Facts):
    """The primary number of a user; `number_type` decides between Direct Routing and Operator Connect."""

    number: str | None = None
    number_type: str | None = None


class LifecycleFacts(Facts):
    """Template groups that a user is in; an empty list = in none."""

    groups: list[str] | None = None


class DialPlanFacts(Facts):
    """A number or prefix of an SBC dial plan, and its tag."""

    number: str | None = None
    tag: str | None = None
    name: str | None = None


class ServiceNumberFacts(Facts):
    """A number that serves something, and whether a user holds it."""

    number: str | None = None
    kind: str | None = None
    held_by_user: bool | None = None


class _Event(BaseModel):
    """What all events have in common. Keys that are not named are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    tenant: TenantId
    source: SourceName = "unknown"


class _Observation(_Event):
    subject: SubjectId
    observed_at: Instant

    @model_validator(mode="after")
    def _facet_fits_subject(self) -> Self:
        facet: str = self.type  # type: ignore[attr-defined]  # every subclass is tagged with its facet
        if self.subject.startswith("user:") != (facet in USER_FACETS):
            raise ValueError(f"the facet {facet} does not belong on {self.subject[:80]}")
        return self


class Directory(_Observation):
    """A directory has a user, or has it no more."""

    type: Literal["directory"]
    facts: DirectoryFacts | None


class Interface(_Observation):
    """A user was changed by hand in the portal."""

    type: Literal["interface"]
    facts: InterfaceFacts | None


class Subscription(_Observation):
    """A user's Microsoft 365 licences."""

    type: Literal["subscription"]
    facts: SubscriptionFacts | None


class Voice(_Observation):
    """A user's voice settings."""

    type: Literal["voice"]
    facts: VoiceFacts | None


class PhoneNumber(_Observation):
    """A user's primary number."""

    type: Literal["phone_number"]
    facts: PhoneNumberFacts | None


class Lifecycle(_Observation):
    """A user's template groups."""

    type: Literal["lifecycle"]
    facts: LifecycleFacts | None


class DialPlan(_Observation):
    """A number as a dial plan has it."""

    type: Literal["dial_plan"]
    facts: DialPlanFacts | None


class ServiceNumber(_Observation):
    """A number that serves something."""

    type: Literal["service_number"]
    facts: ServiceNumberFacts | None


class SyncCompleted(_Event):
    """A collector has published all that the source holds: what it did not see since `started_at` is swept."""

    type: Literal["sync_completed"]
    facet: FacetName
    started_at: Instant


class FacetConfirmed(_Event):
    """A quiet source was asked and had nothing new: freshness only."""

    type: Literal["facet_confirmed"]
    facet: FacetName
    observed_at: Instant


Event = (
    Directory
    | Interface
    | Subscription
    | Voice
    | PhoneNumber
    | Lifecycle
    | DialPlan
    | ServiceNumber
    | SyncCompleted
    | FacetConfirmed
)
EventModel: TypeAdapter[Any] = TypeAdapter(Annotated[Event, Field(discriminator="type")])

FACTS: dict[str, type[Facts]] = {
    "directory": DirectoryFacts,
    "interface": InterfaceFacts,
    "subscription": SubscriptionFacts,
    "voice": VoiceFacts,
    "phone_number": PhoneNumberFacts,
    "lifecycle": LifecycleFacts,
    "dial_plan": DialPlanFacts,
    "service_number": ServiceNumberFacts,
}
"""Facts model by facet, in the order of the facets' numbers in the state."""


USER_CHANGES_FACETS = frozenset({"directory", "interface"})


def input_topic(facet: str) -> str:
    """Return the short name of the input topic of a facet: `user-changes` or `assignments`."""
    return "user-changes" if facet in USER_CHANGES_FACETS else "assignments"
