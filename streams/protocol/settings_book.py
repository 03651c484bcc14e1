"""Owns the settings of all tenants as a meter or counter knows them: read from the topic `tenants`, criteria
compiled."""

from collections.abc import Iterator
from dataclasses import dataclass

import pydantic

from licensing.criteria import CompiledCriteria, PatternError, compile_criteria
from licensing.factors import enabled_mask
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import ProviderSettings, Settings, TenantSettings
from schemas.times import to_ms


@dataclass(frozen=True, slots=True)
class Rules:
    """What applies to a tenant's events now."""

    settings: TenantSettings
    criteria: CompiledCriteria
    enabled: int
    """Mask of the enabled factors."""
    removed: bool
    """Removed and not set again: its events are dead letters."""
    floor_ms: int
    """Facts observed up to the latest removal are ignored."""

    @property
    def revision(self) -> int:
        """Revision of the settings, 0 where the tenant has none."""
        return self.settings.revision

    @property
    def fingerprint(self) -> str:
        """Of criteria and rules version: another one means that profiles must be computed again."""
        return self.criteria.fingerprint


def is_removed(settings: TenantSettings) -> bool:
    """Tell whether the newest revision is a removal."""
    return settings.is_removed


class SettingsBook:
    """Settings by tenant. A later revision wins, so that a late writer of an old one does no harm."""

    def __init__(self) -> None:
        self.provider = ProviderSettings()
        self._settings: dict[str, TenantSettings] = {}
        self._rules: dict[str, Rules] = {}
        self._written: dict[str, bytes] = {}
        self.outdone: set[str] = set()
        """Whose newest record on the topic is not its highest revision: a late writer's, which compaction would keep
        instead. The counter that owns the tenant writes the highest again."""

    def apply(self, key: bytes, value: bytes | None) -> str | None:
        """Take one record of the topic; return the tenant (or `_provider`) that changed, or None.

        Raises ValueError with words for a record that is none; what was known stays.
        """
        name = key.decode()
        if value is None:
            known = self._settings.pop(name, None)
            self._rules.pop(name, None)
            self._written.pop(name, None)
            return name if known is not None else None
        try:
            if name == PROVIDER_KEY:
                return self._apply_provider(ProviderSettings.model_validate_json(value, extra="allow"), value)
            # Keys of a newer version change nothing here; whoever would change such settings is refused.
            settings = TenantSettings.model_validate_json(value, extra="allow")
            compile_criteria(settings)
        except (pydantic.ValidationError, PatternError) as error:
            raise ValueError(f"the settings of {name} cannot be used and stay as they were: {error}") from error
        known = self._settings.get(name)
        if known is not None and known.revision >= settings.revision:
            self._note_late(name, known.revision > settings.revision)
            return None
        self.outdone.discard(name)
        self._settings[name], self._written[name] = settings, value
        self._rules.pop(name, None)
        return name

    def _note_late(self, name: str, is_lower: bool) -> None:
        (self.outdone.add if is_lower else self.outdone.discard)(name)

    def _apply_provider(self, provider: ProviderSettings, value: bytes) -> str | None:
        if provider.revision < self.provider.revision:
            self._note_late(PROVIDER_KEY, True)
            return None
        self.outdone.discard(PROVIDER_KEY)
        self.provider, self._written[PROVIDER_KEY] = provider, value
        self._rules.clear()
        return PROVIDER_KEY

    def get(self, name: str) -> Settings | None:
        """Return the settings of a tenant or of `_provider` as they were set, None where none ever were."""
        if name == PROVIDER_KEY:
            return self.provider if self.provider.revision else None
        return self._settings.get(name)

    def written(self, name: str) -> bytes | None:
        """Return the record of these settings, with what this version does not know of it."""
        return self._written.get(name)

    def rules_of(self, tenant: str) -> Rules:
        """Return what applies to a tenant; one without settings counts under the provider's defaults."""
        rules = self._rules.get(tenant)
        if rules is None:
            settings = self._settings.get(tenant) or TenantSettings(tenant=tenant)
            rules = self._rules[tenant] = Rules(
                settings,
                compile_criteria(settings),
                enabled_mask(settings, self.provider),
                is_removed(settings),
                to_ms(settings.removed_at) if settings.removed_at is not None else 0,
            )
        return rules

    def tenants(self) -> Iterator[str]:
        """Yield the tenants that have settings."""
        yield from self._settings
