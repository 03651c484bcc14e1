"""Owns the commands of a tenant and their answers (topic `commands`, key = tenant)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.alert import AlertRule
from schemas.events import FacetName
from schemas.times import Instant

SourceHint = Literal["source_failing", "few_teams_phone_licences"]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    tenant: str
    """A tenant id, or `_provider`."""
    by: str
    sent_at: Instant


class ChangeSettings(_Command):
    """Ask the counter to change the settings of a tenant or the provider.

    `put` replaces, `patch` merges (RFC 7396), `remove` sets `removed_at`, `purge` writes the tombstone as well.
    """

    type: Literal["change_settings"] = "change_settings"
    mode: Literal["put", "patch", "remove", "purge"]
    body: dict[str, Any] = {}
    if_match: int | None = None
    """The revision that the writer saw; another one fails the command with `conflict`."""


class Refresh(_Command):
    """Ask the sources of a tenant for a full sync now."""

    type: Literal["refresh"] = "refresh"


class SyncRun(_Command):
    """A collector tells how a sync went. A held one would remove suspiciously many (LICENSE-FACTORS §5) and has swept
    nothing; a confirmed one was held and a person, or a second sync that saw about the same, let it through."""

    type: Literal["sync_run"] = "sync_run"
    facet: FacetName
    source: str
    started_at: Instant
    seen: int
    """Subjects that the sync saw."""
    expected: int | None
    """Subjects that the last completed sync of (tenant, facet, source) saw; None: it is the first."""
    status: Literal["completed", "held", "confirmed"]


class Notified(_Command):
    """A source says that something of a tenant has changed, or what has become of a subscription: whoever collects the
    tenant asks for it. Ids are the source's own."""

    type: Literal["notified"] = "notified"
    source: str
    subscription: str
    event: Literal["changed", "missed", "removed", "reauthorize"] = "changed"
    users: list[str] = []
    groups: list[str] = []


class SourceHints(_Command):
    """A collector tells what a person should know of a source of the tenant; it replaces what it told before, and the
    count carries it."""

    type: Literal["source_hints"] = "source_hints"
    source: str
    hints: list[SourceHint] = []


class ConfirmSync(_Command):
    """A person lets a held sync through: whoever takes it sends its `sync_completed` to every partition."""

    type: Literal["confirm_sync"] = "confirm_sync"
    sync_id: str


class AcknowledgeAlert(_Command):
    """A person has seen the open alert of a rule: no reminders until its level rises."""

    type: Literal["acknowledge_alert"] = "acknowledge_alert"
    rule: AlertRule


class Finding(_Command):
    """What a look at the stored facts and counts of a tenant has found for a rule; it replaces what was told before."""

    type: Literal["finding"] = "finding"
    rule: Literal["forecast", "suspicious_tag"]
    value: float | None
    """Days until the pool runs out (None: no end in sight), or numbers with a suspicious tag."""
    detail: str = ""
    """A sentence for people, without personal data."""


class Answer(BaseModel):
    """What became of a command."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: Literal["answer"] = "answer"
    id: str
    tenant: str
    status: Literal["done", "conflict", "invalid"]
    detail: str = ""
    revision: int | None = None
    settings: dict[str, Any] | None = None


Command = (
    ChangeSettings | Refresh | SyncRun | Notified | SourceHints | ConfirmSync | AcknowledgeAlert | Finding | Answer
)
CommandModel: TypeAdapter[Any] = TypeAdapter(Annotated[Command, Field(discriminator="type")])
