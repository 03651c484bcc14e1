"""Owns how a ClickHouse server is reached: the settings as the client's arguments, and why it could not be opened."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from clickhouse_connect.driver.exceptions import ClickHouseError

from runtime import tls
from runtime.clickhouse.errors import StorageRefusedError, StorageUnreachableError, StorageUntrustedError
from runtime.secret_files import secret_of
from runtime.settings import ClickHouse, SettingsError, variable

TLS_NAMES = tls.Names(*(variable(("clickhouse", name)) for name in ("ca_file", "cert_file", "key_file")))

_URL = variable(("clickhouse", "url"))
_PORTS = {"http": 8123, "https": 8443}
_REFUSED = (192, 193, 194, 516)
"""UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED."""


def arguments(settings: ClickHouse, url: str) -> dict[str, Any]:
    """Return the arguments of `clickhouse_connect.get_client` that lead to the server. Raises SettingsError."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingsError(f"{_URL} is no address of a server: it is like https://user@host:8443/")
    if {"verify", "tls_mode"} & parse_qs(parts.query, keep_blank_values=True).keys():
        raise SettingsError(
            f"{_URL} says verify or tls_mode: a server's certificate is always checked, so leave them out and set"
            f" {TLS_NAMES.ca}"
        )
    password = secret_of("clickhouse", "password", None, settings.password_file)
    if password and parts.password:
        raise SettingsError(
            f"{_URL} has a password, and {variable(('clickhouse', 'password_file'))} is set: leave one of them out"
        )
    # The client takes a port of 443 or 8443 for HTTPS and anything else for HTTP, whatever the address begins with.
    options: dict[str, Any] = {"dsn": url, "interface": parts.scheme, "port": port_of(url)}
    if password:
        options["password"] = password
    if _is_tls(settings, url):
        options |= _secured(settings, with_password=bool(password or parts.password))
    return options


def _is_tls(settings: ClickHouse, url: str) -> bool:
    if url.startswith("https:"):
        return True
    for name in ("ca_file", "cert_file", "key_file"):
        if getattr(settings, name) is not None:
            raise SettingsError(
                f"{variable(('clickhouse', name))} is set, and {_URL} begins with http://: let it begin with https://"
            )
    return False


def _secured(settings: ClickHouse, *, with_password: bool) -> dict[str, Any]:
    tls.context(TLS_NAMES, settings.ca_file, settings.cert_file, settings.key_file)
    options: dict[str, Any] = {"verify": True}
    for name, file in (
        ("ca_cert", settings.ca_file),
        ("client_cert", settings.cert_file),
        ("client_cert_key", settings.key_file),
    ):
        if file is not None:
            options[name] = str(file)
    if settings.cert_file is not None:
        # `mutual`: the certificate is what the user signs in with; `strict`: beside the password.
        options["tls_mode"] = "strict" if with_password else "mutual"
    return options


def port_of(url: str) -> int:
    """Return the port of a server's address."""
    parts = urlsplit(url)
    return parts.port or _PORTS.get(parts.scheme, _PORTS["http"])


def why_not(settings: ClickHouse, url: str, error: Exception) -> StorageUnreachableError:
    """Return why a server could not be opened, after the client failed with an error."""
    host = urlsplit(url).hostname or ""
    where = f"the ClickHouse server at {host}:{port_of(url)}"
    if found := tls.fault(error, host, TLS_NAMES, has_certificate=settings.cert_file is not None):
        kind = StorageUntrustedError if found.untrusted else StorageRefusedError
        return kind(f"{where} cannot be used over TLS: {found.said}")
    if url.startswith("https:") and settings.cert_file is None and tls.hung_up(error):
        # Whoever misses a certificate says so after the handshake, and it may hang up before we have read that.
        return StorageRefusedError(
            f"{where} hangs up: if it asks clients for a certificate, set {TLS_NAMES.certificate} and {TLS_NAMES.key},"
            " else look at its log"
        )
    if isinstance(error, ClickHouseError) and getattr(error, "code", None) in _REFUSED:
        return StorageRefusedError(
            f"{where} refuses user or password: correct them in {_URL} or {variable(('clickhouse', 'password_file'))}"
        )
    reason = str(error).strip().splitlines()[0][:300]
    return StorageUnreachableError(
        f"{where} cannot be opened: {reason}: check that it runs, and {_URL} with its user and password"
    )
