"""Owns the settings of a tenant and of the provider (topic `tenants`, INTERFACE §1); nothing here applies them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.alert import AlertRule
from schemas.identifiers import TenantId
from schemas.times import Instant

ServiceType = Literal[
    "ump_365",
    "hosted_essentials",
    "oc_essentials",
    "hosted_essentials_plus",
    "hosted_pro",
    "oc_essentials_plus",
    "oc_pro",
]
OptionalFactor = Literal["lifecycle", "user_interface", "service_number"]
CloudName = Literal["global", "gcc_high", "dod", "china"]
"""Microsoft's clouds; `global` is also GCC, which shares its hosts."""

Guid = Annotated[str, StringConstraints(to_lower=True, strip_whitespace=True, min_length=1, max_length=64)]
Pattern = Annotated[str, StringConstraints(max_length=1_000)]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Percent = Annotated[float, Field(ge=0, le=1_000)]


def _host(text: str) -> str:
    if not text.strip() or len(text) > 253:
        raise ValueError("a gateway is a host name of 1 to 253 characters")
    return text.strip()


class Model(BaseModel):
    """A frozen, strict body: unknown keys and other JSON types are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Factors(Model):
    """Switches of the optional factors; None = the provider's default."""

    lifecycle: bool | None = None
    user_interface: bool | None = None
    service_number: bool | None = None


class Criteria(Model):
    """The three patterns of LICENSE-FACTORS §4 (RE2); None or empty = the default."""

    licensed_users_by_gateway: Pattern | None = None
    dr_numbers: Pattern | None = None
    reject_service_numbers: Pattern | None = None


class Silence(Model):
    """A time in which alerts are raised and kept, and nobody is told of them: a mute, or a planned maintenance."""

    rule: AlertRule | None = None
    """None = all rules."""
    since: Instant | None = None
    """None = from now on."""
    until: Instant
    reason: Annotated[str, StringConstraints(max_length=200)] = ""


class AlertSettings(Model):
    """When alerts are raised and who is told of them; None = the provider's default.

    Percent are of the pool, seats are licences. A level is entered at its own value, and left below it by the distance
    from `warning_percent` to `clear_percent` (2 points where that is None), or by one seat.
    """

    warning_percent: Percent | None = None
    critical_percent: Percent | None = None
    clear_percent: Percent | None = None
    warning_available: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    """So many seats left, or fewer, are a warning as well."""
    critical_available: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    dwell_s: Annotated[int, Field(ge=0, le=604_800)] | None = None
    """For so long a level must hold before it is told, and be left before that is told."""
    grace_percent: Percent | None = None
    """Over the pool by more than this is beyond the grace; None and no `grace_days` = there is no grace to exceed."""
    grace_days: Annotated[int, Field(ge=0, le=366)] | None = None
    """Over the pool for longer than this is beyond the grace."""
    forecast_days: Annotated[int, Field(ge=0, le=3_650)] | None = None
    """Warn when the pool is expected to run out within so many days; 0 = never."""
    remind_after_s: Annotated[int, Field(ge=0, le=31_536_000)] | None = None
    """Tell again of an alert that nobody has acknowledged; 0 = never."""
    channels: Annotated[list[ChannelName], Field(max_length=50)] | None = None
    """Which of the operator's channels are told; None = all that serve the tenant."""
    silences: Annotated[list[Silence], Field(max_length=100)] | None = None
    """The provider's hold for every tenant, beside the tenant's own."""


class Graph(Model):
    """What is read of the tenant in Microsoft Graph: everything that its cloud has.

    `template_groups`: object ids of the groups whose members are users by template; nested groups count."""

    cloud: CloudName = "global"
    template_groups: Annotated[list[Guid], Field(max_length=50)] = []


class _Stamps(Model):
    """Who changed it last; set by the counter, ignored on the way in."""

    revision: Annotated[int, Field(ge=0)] = 0
    updated_at: Instant | None = None
    updated_by: str | None = None
    removed_at: Instant | None = None

    @property
    def is_removed(self) -> bool:
        """Whether the newest revision is a removal; afterwards `removed_at` only stays as a floor."""
        return self.removed_at is not None and self.removed_at == self.updated_at


class TenantSettings(_Stamps):
    """What a provider has set for a tenant. Everything but `tenant` may be absent (= default)."""

    tenant: TenantId
    display_name: Annotated[str, StringConstraints(max_length=256)] | None = None
    acquired_licenses: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    service_type: ServiceType = "ump_365"
    factors: Factors = Factors()
    criteria: Criteria = Criteria()
    customer_guid: Guid | None = None
    ms_tenant_id: Guid | None = None
    gateways: Annotated[list[Annotated[str, AfterValidator(_host)]], Field(max_length=1_000)] = []
    graph: Graph | None = None
    """None = Microsoft Graph is not read; it takes `ms_tenant_id` as well."""
    alerts: AlertSettings = AlertSettings()
    stale_after_s: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


class ProviderSettings(_Stamps):
    """The provider's own defaults (key `_provider`)."""

    tenant: Literal["_provider"] = "_provider"
    factors: Factors = Factors()
    alerts: AlertSettings = AlertSettings()
    stale_after_s: Annotated[int, Field(ge=1, le=31_536_000)] | None = None


Settings = TenantSettings | ProviderSettings


def unknown_keys(settings: BaseModel) -> list[str]:
    """Return the keys that settings carry and this version does not know, as places (`alerts.colour`)."""
    found = list(settings.model_extra or ())
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        for place, inner in _models(name, value):
            found += [f"{place}.{key}" for key in unknown_keys(inner)]
    return sorted(found)


def _models(name: str, value: object) -> list[tuple[str, BaseModel]]:
    if isinstance(value, BaseModel):
        return [(name, value)]
    if isinstance(value, list):
        return [(f"{name}.{place}", each) for place, each in enumerate(value) if isinstance(each, BaseModel)]
    return []


STAMPS = ("revision", "updated_at", "updated_by", "removed_at")
"""Keys that a body may carry and that are ignored there, so that what GET gives can be PUT."""

DEFAULT_STALE_AFTER_S = 3_600
DEFAULT_ALERTS = AlertSettings(
    warning_percent=90.0, critical_percent=100.0, dwell_s=60, forecast_days=14, remind_after_s=86_400
)
