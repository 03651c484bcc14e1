"""Owns how the clients of Kafka prove who they are and check the broker: the settings as arguments of any aiokafka
client. Every client of ours, Faust's included, takes them from here."""

import ipaddress
import ssl
from typing import Any
from urllib.parse import urlsplit

from aiokafka.abc import AbstractTokenProvider

from runtime import tls
from runtime.kafka_tokens import FetchedTokens, FileTokens
from runtime.secret_files import secret_of
from runtime.settings import Kafka, SettingsError, variable

TLS_NAMES = tls.Names(*(variable(("kafka", name)) for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile")))


def security(kafka: Kafka) -> dict[str, Any]:
    """Return the security arguments of any aiokafka client. Raises SettingsError, each with the setting's name."""
    options: dict[str, Any] = {"security_protocol": kafka.security_protocol}
    if kafka.security_protocol.endswith("SSL"):
        password = kafka.ssl_password.get_secret_value() if kafka.ssl_password else None
        options["ssl_context"] = tls.context(
            TLS_NAMES, kafka.ssl_cafile, kafka.ssl_certfile, kafka.ssl_keyfile, password
        )
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        if kafka.sasl_mechanism == "OAUTHBEARER":
            options["sasl_oauth_token_provider"] = _tokens(kafka)
        else:
            password = secret_of("kafka", "sasl_password", kafka.sasl_password, kafka.sasl_password_file)
            options["sasl_plain_username"] = _given(kafka.sasl_username, "sasl_username", kafka)
            options["sasl_plain_password"] = _given(password, "sasl_password", kafka)
    return options


def _tokens(kafka: Kafka) -> AbstractTokenProvider:
    file, url = kafka.oauth_token_file, kafka.oauth_token_url
    if file is not None:
        if url is not None:
            raise SettingsError(
                f"{_named('oauth_token_url')} and {_named('oauth_token_file')} are both set: unset one of them"
            )
        secret_of("kafka", "oauth_token", None, file)
        return FileTokens(lambda: secret_of("kafka", "oauth_token", None, file) or "")
    address = _given(url, "oauth_token_url", kafka)
    _refuse_listeners(address)

    def client_secret() -> str:
        secret = secret_of("kafka", "oauth_client_secret", kafka.oauth_client_secret, kafka.oauth_client_secret_file)
        return _given(secret, "oauth_client_secret", kafka)

    client_secret()
    trusted = ssl.create_default_context()
    if kafka.ssl_cafile is not None:
        tls.context(TLS_NAMES, kafka.ssl_cafile)
        trusted.load_verify_locations(kafka.ssl_cafile)
    return FetchedTokens(
        address, _given(kafka.oauth_client_id, "oauth_client_id", kafka), client_secret, kafka.oauth_scope, trusted
    )


def _refuse_listeners(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise SettingsError(f"{_named('oauth_token_url')} is {url}, where others can listen: it begins with https://")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _given(value: str | None, name: str, kafka: Kafka) -> str:
    if not value:
        raise SettingsError(
            f"{_named(name)} is not set, and {_named('security_protocol')}={kafka.security_protocol} with"
            f" {_named('sasl_mechanism')}={kafka.sasl_mechanism} needs it"
        )
    return value


def _named(name: str) -> str:
    return variable(("kafka", name))
