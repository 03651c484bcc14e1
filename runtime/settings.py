"""Owns the settings of every process: one frozen tree, read once from the environment, `.env` and `poolwatch.toml`.

Precedence, highest first: arguments of a command, `POOLWATCH_…` variables, `.env` in the working directory,
`poolwatch.toml` there (or where `POOLWATCH_CONFIG` says), the defaults below. A nested value is named by its group and
its name: `kafka.topic_prefix` is `POOLWATCH_KAFKA_TOPIC_PREFIX`, and `[kafka] topic_prefix = …` in the file.
"""

import os
from datetime import time
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from portal.access.claims import parse_grant
from schemas.alert import AlertLevel
from schemas.identifiers import TenantId
from schemas.settings import ChannelName

PREFIX = "POOLWATCH_"
DEFAULT_CONFIG = "poolwatch.toml"


class SettingsError(Exception):
    """The settings cannot be used; the text has a sentence a mistake, each with the name of the setting."""


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _prefix(text: str) -> str:
    if len(text) > 100 or not all(char.isascii() and (char.isalnum() or char in "._-") for char in text):
        raise ValueError("a topic prefix is at most 100 of a-z A-Z 0-9 . _ -")
    return text


def _http(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"an address begins with http:// or https://, not {text[:80]!r}")
    return text.rstrip("/")


def _token(given: Any) -> Any:
    """Return a token without what surrounds it in files, None for an empty one."""
    text = given.strip() if isinstance(given, str) else given
    if isinstance(text, str) and not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("an API token is one word, as `poolwatch token create` printed it")
    return text or None


def _scopes(text: str) -> str:
    if "openid" not in text.split():
        raise ValueError("the scopes hold openid: without it the provider does not say who somebody is")
    return text


def _grant(text: str) -> str:
    parse_grant(text)
    return text


def _texts(given: Any) -> Any:
    return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given


Port = Annotated[int, Field(ge=1, le=65_535)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_texts)]
"""A list in the file, several with commas in a variable."""


class Kafka(_Group):
    """The broker, and how clients sign in there (docs/operations.md). Whoever is asked is always checked: there is no
    setting that turns the check of names off."""

    bootstrap: Annotated[str, Field(min_length=1)] = "127.0.0.1:9092"
    topic_prefix: Annotated[str, AfterValidator(_prefix)] = "poolwatch."
    partitions: Annotated[int, Field(ge=1, le=1_024)] = 8
    """Of every topic; fixed for the life of the topics."""
    replication_factor: Annotated[int, Field(ge=1, le=32)] = 1
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    """The client's certificate with those between it and its authority, PEM; for brokers that ask for one."""
    ssl_keyfile: Path | None = None
    ssl_password: SecretStr | None = None
    """Of an encrypted key."""
    oauth_token_url: Annotated[str, AfterValidator(_http)] | None = None
    """The token endpoint, for tokens by client credentials; `ssl_cafile` is trusted there as well."""
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_client_secret_file: Path | None = None
    oauth_scope: str | None = None
    oauth_token_file: Path | None = None
    """A file with the token itself, kept fresh by somebody else (a workload identity), in place of an endpoint."""


class ClickHouse(_Group):
    """Where history is kept: a server's `url`, or without one the engine in process on the directory `data`."""

    url: SecretStr | None = None
    """`https://user@host:8443/`; a secret, for it may carry a password."""
    password_file: Path | None = None
    ca_file: Path | None = None
    """Certificates to trust, PEM; None = those of the system."""
    cert_file: Path | None = None
    """The client's certificate, PEM. Without a password it is what the user signs in with."""
    key_file: Path | None = None
    database: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = "poolwatch"
    data: Path = Path("data/clickhouse")


class Portal(_Group):
    """Where the portal listens."""

    host: str = "127.0.0.1"
    port: Port = 8080


class Auth(_Group):
    """Who may use the portal: whoever uses its machine (`local`), or who signs in by OpenID Connect (`oidc`)."""

    mode: Literal["local", "oidc"] = "local"
    issuer: Annotated[str, AfterValidator(_http)] | None = None
    """The provider's address, as its discovery document has it."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    public_url: Annotated[str, AfterValidator(_http)] | None = None
    """The portal's address as browsers know it; the provider leads back to it."""
    session_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    """What sessions are signed with; the same for all portals, at least 32 characters."""
    session_hours: Annotated[int, Field(ge=1, le=720)] = 8
    scopes: Annotated[str, AfterValidator(_scopes)] = "openid profile email"
    roles_claims: Texts = ("roles",)
    """The claims whose values may be roles, or texts that `role_map` makes roles of."""
    tenants_claim: str = "tenants"
    """Whose tenants a tenant's role is for that names none itself."""
    provider_admins: Texts = ()
    """E-mail addresses and subjects that are provider admins, whatever their claims say: the first way in."""
    trust_email: bool = False
    """Whether nobody at the provider has an address that was not checked, though its claims do not say so."""
    role_map: dict[str, Annotated[str, AfterValidator(_grant)]] = Field(default_factory=dict)
    """What values of the roles' claims mean, such as ids of groups: `provider_viewer`, `tenant_admin:contoso`."""
    requests_per_s: Annotated[int, Field(ge=1, le=100_000)] = 50
    """Of one principal, on the average of ten seconds; in mode oidc alone."""


class Graph(_Group):
    """The provider's application in Entra ID, and how Microsoft Graph is read. One credential: a secret, a secret's
    file, a certificate (PEM or PKCS#12), or the token file of a workload identity."""

    client_id: str | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    certificate_file: Path | None = None
    private_key_file: Path | None = None
    pfx_file: Path | None = None
    passphrase: SecretStr | None = None
    """Of the private key or the PKCS#12 file."""
    federated_token_file: Path | None = None
    poll_s: Annotated[int, Field(ge=1, le=86_400)] = 300
    """Between two questions to a tenant for what changed."""
    full_s: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    """Between two full syncs of a tenant."""
    beta: bool = False
    """Read beta where v1.0 does not tell: whether a service number is an auto attendant's or a call queue's."""
    consent_redirect_url: Annotated[str, AfterValidator(_http)] | None = None
    """Where Entra ID leads an administrator after consenting; one of those in the application's registration."""
    notification_url: Annotated[str, AfterValidator(_http)] | None = None
    """Where Graph reaches this collector; None = no change notifications, only polling."""
    notification_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    """What notifications are recognised by; the same for all collectors, at least 16 characters."""
    listen_host: str = "127.0.0.1"
    listen_port: Port = 8090


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"a time zone is a name such as Europe/Paris, not {text[:80]!r}") from error
    return text


class QuietSettings(_Group):
    """A time of day in which a channel tells nobody; it may go over midnight."""

    begin: time
    end: time
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    except_level: AlertLevel | None = None
    """From this level on people are told at once."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.begin == self.end:
            raise ValueError("begin and end are the same, so it would never be loud: give two times, or no quiet")
        return self


class ChannelSettings(_Group):
    """A way to tell people: an Apprise URL (e-mail, Teams, Slack, …), or a signed webhook."""

    url: SecretStr | None = None
    url_file: Path | None = None
    webhook: SecretStr | None = None
    secret: SecretStr | None = None
    """What a webhook is signed with: `whsec_` and base64, or any text."""
    secret_file: Path | None = None
    tenants: tuple[TenantId, ...] | None = None
    """Whose alerts it takes; None = those of every tenant."""
    digest_s: Annotated[int, Field(ge=0, le=604_800)] = 0
    """So long messages are gathered into one."""
    quiet: QuietSettings | None = None


class Alerts(_Group):
    """How people are told of alerts; when, is in the settings of tenants and provider."""

    channels: dict[ChannelName, ChannelSettings] = Field(default_factory=dict)
    templates: Path | None = None
    """A folder with subject.txt, message.txt or message.html in place of ours."""
    link_base: Annotated[str, AfterValidator(_http)] | None = None
    """The portal's address as people know it; None = no links."""


class Retention(_Group):
    """How many days ClickHouse keeps what."""

    counts_days: Days = 90
    hourly_days: Days = 1_100
    daily_days: Days = 3_650
    changes_days: Days = 1_100


class Log(_Group):
    """What is logged, and how: `auto` is JSON unless a terminal reads it."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class Metrics(_Group):
    """Where a process shows its figures to Prometheus and answers probes, besides the portal at its own address."""

    host: str = "127.0.0.1"
    port: Port | None = None
    """None = nowhere."""


class Tracing(_Group):
    """Where traces from event to count are sent."""

    endpoint: Annotated[str, AfterValidator(_http)] | None = None
    """Of OTLP over HTTP, without `/v1/traces`; None = there are none."""


class Settings(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",  # other programs' variables stand in the same .env; `unknown_names` tells of mistyped ones
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_file=".env",
        env_file_encoding="utf-8",
    )
    # Set by `load` alone: pydantic-settings asks for the file's place before there is an instance.
    config_file: ClassVar[Path] = Path(DEFAULT_CONFIG)

    url: Annotated[str, AfterValidator(_http)] = "http://127.0.0.1:8080"
    """Where the command line finds the portal."""
    token: Annotated[SecretStr | None, BeforeValidator(_token)] = None
    """The API token that commands and collectors send to the portal."""
    kafka: Kafka = Kafka()
    clickhouse: ClickHouse = ClickHouse()
    portal: Portal = Portal()
    auth: Auth = Auth()
    graph: Graph = Graph()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    log: Log = Log()
    metrics: Metrics = Metrics()
    tracing: Tracing = Tracing()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- named by pydantic-settings; not used
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put `poolwatch.toml` below the environment."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=cls.config_file)
        return init_settings, env_settings, dotenv_settings, toml


def load(**overrides: Any) -> Settings:
    """Read the settings. `overrides` are a command's own arguments (`kafka={"bootstrap": …}`), which win.

    Raises SettingsError with the name of each setting that cannot be used.
    """
    file = Path(os.environ.get(f"{PREFIX}CONFIG", DEFAULT_CONFIG))
    if f"{PREFIX}CONFIG" in os.environ and not file.is_file():
        raise SettingsError(f"{PREFIX}CONFIG names {file}, which is no file: correct it, or unset it")
    Settings.config_file = file
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(item) for item in error.errors(include_url=False))) from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file} or .env cannot be read: {error}. Correct the file, or move it away") from error


def variable(place: tuple[str, ...]) -> str:
    """Return the variable of a place in the tree: `("kafka", "bootstrap")` is `POOLWATCH_KAFKA_BOOTSTRAP`."""
    return PREFIX + "_".join(place).upper()


def _sentence(error: Any) -> str:
    place = tuple(str(part) for part in error["loc"])
    name = f"{variable(place)} ({'.'.join(place)} in {DEFAULT_CONFIG})"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting: `poolwatch check-config` lists them"
    secret = (
        place[-1] in ("url", "token")
        or place[:2] == ("alerts", "channels")  # also where a table should be, somebody may have put an address
        or any(word in place[-1] for word in ("password", "passphrase", "secret", "key"))
    )
    given = "" if secret else f", not {str(error['input'])[:80]!r}"
    return f"{name}: {error['msg'].removeprefix('Value error, ')}{given}"
