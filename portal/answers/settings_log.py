"""Owns the log of settings: who changed what of a tenant, when, from what to what; also the provider's defaults where
they acted on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from portal.answers.masks import Epoch, MaskHistory
from portal.answers.settings_bodies import settings_diff
from portal.ports import SettingsRevision
from schemas.settings import ProviderSettings, TenantSettings
from schemas.times import format_time

_FACTORS = "factors."


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """A revision and what it changed; `changes` as `settings_diff` gives them."""

    at: datetime
    scope: Literal["tenant", "provider"]
    revision: int
    by: str | None
    changes: list[dict[str, Any]]


def own_revisions(tenant: str, revisions: Sequence[SettingsRevision]) -> list[dict[str, Any]]:
    """Return every revision of a tenant's own settings as the API shows it, newest first."""
    before = TenantSettings(tenant=tenant).model_dump(mode="json")
    items: list[dict[str, Any]] = []
    for revision in revisions:
        after = TenantSettings.model_validate(revision.settings, extra="ignore").model_dump(mode="json")
        items.append(
            {
                "revision": revision.revision,
                "at": format_time(revision.at),
                "by": revision.by,
                "changes": settings_diff(before, after),
            }
        )
        before = after
    return items[::-1]


def acting_changes(tenant: str, masks: MaskHistory) -> list[SettingsChange]:
    """Return what was changed and acts on a tenant, oldest first: its own settings, and the provider's defaults where
    the tenant has no value of its own."""
    return [change for change in _changes(tenant, masks) if change.changes]


def _changes(tenant: str, masks: MaskHistory) -> Iterator[SettingsChange]:
    own = TenantSettings(tenant=tenant).model_dump(mode="json")
    defaults = ProviderSettings().model_dump(mode="json")
    mask = masks.default_mask
    for epoch in masks.epochs:
        if epoch.scope == "tenant":
            before, own = own, epoch.settings.model_dump(mode="json")
            found = settings_diff(before, own)
        else:
            after = ProviderSettings.model_validate(epoch.revision.settings, extra="ignore").model_dump(mode="json")
            before, defaults = defaults, after
            found = [change for change in settings_diff(before, after) if _acts(change["setting"], own, epoch, mask)]
        mask = epoch.mask
        yield SettingsChange(epoch.at, epoch.scope, epoch.revision.revision, epoch.revision.by, found)


def _acts(setting: str, own: dict[str, Any], epoch: Epoch, mask: int) -> bool:
    if setting.startswith(_FACTORS) and epoch.mask == mask:
        return False
    value: Any = own
    for part in setting.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value is None
