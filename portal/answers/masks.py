"""Owns the enabled factors over time: the settings of tenant and provider at any instant, as recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from licensing.factors import enabled_mask
from portal.ports import SettingsRevision, Store
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import ProviderSettings, TenantSettings


@dataclass(frozen=True, slots=True)
class Epoch:
    """What held from an instant on, and the revision that began it."""

    at: datetime
    scope: Literal["tenant", "provider"]
    revision: SettingsRevision
    settings: TenantSettings
    mask: int


class MaskHistory:
    """The settings of one tenant over time, joined with the provider's defaults."""

    def __init__(
        self, tenant: str, revisions: Sequence[SettingsRevision], provider_revisions: Sequence[SettingsRevision]
    ) -> None:
        self._before = TenantSettings(tenant=tenant)
        self.default_mask = enabled_mask(self._before)
        self.epochs = list(self._joined(revisions, provider_revisions))

    def _joined(self, revisions: Sequence[SettingsRevision], provider: Sequence[SettingsRevision]) -> list[Epoch]:
        settings, defaults = self._before, ProviderSettings()
        epochs: list[Epoch] = []
        marked = [(item.at, 0, item) for item in provider] + [(item.at, 1, item) for item in revisions]
        for at, is_tenant, item in sorted(marked, key=lambda entry: entry[:2]):
            if is_tenant:
                settings = TenantSettings.model_validate(item.settings, extra="ignore")
            else:
                defaults = ProviderSettings.model_validate(item.settings, extra="ignore")
            mask = enabled_mask(settings, defaults)
            epochs.append(Epoch(at, "tenant" if is_tenant else "provider", item, settings, mask))
        return epochs

    def masks(self, until: datetime | None = None) -> list[tuple[datetime, int]]:
        """Return the enabled factors, each from its instant on, up to an instant."""
        return [(epoch.at, epoch.mask) for epoch in self.epochs if until is None or epoch.at <= until]

    def at(self, instant: datetime | None) -> tuple[TenantSettings, int]:
        """Return the settings and enabled factors of an instant (None = the newest)."""
        held = [epoch for epoch in self.epochs if instant is None or epoch.at <= instant]
        return (held[-1].settings, held[-1].mask) if held else (self._before, self.default_mask)


def read_masks(store: Store, tenant: str, settings: TenantSettings, provider: ProviderSettings) -> MaskHistory:
    """Read the history of a tenant's settings. The current ones are added where the store has not got them yet."""
    return MaskHistory(
        tenant,
        _with_current(store.settings_history(tenant), settings),
        _with_current(store.settings_history(PROVIDER_KEY), provider),
    )


def _with_current(
    revisions: Sequence[SettingsRevision], current: TenantSettings | ProviderSettings
) -> Sequence[SettingsRevision]:
    known = revisions[-1].revision if revisions else 0
    if current.updated_at is None or current.revision <= known:
        return revisions
    return [
        *revisions,
        SettingsRevision(current.revision, current.updated_at, current.updated_by, current.model_dump(mode="json")),
    ]
