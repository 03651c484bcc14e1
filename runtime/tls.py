"""Owns TLS of our clients: the context that the settings make, and what a failed handshake means in words. The other
side and the name it is asked by are always checked."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.settings import SettingsError

_EXPIRED = 10
_NOT_YET = 9
_OTHER_NAME = (62, 64)
"""A name, an address. All are X509_V_ERR_… of OpenSSL."""


@dataclass(frozen=True, slots=True)
class Names:
    """The variables of the settings that errors name."""

    ca: str
    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a handshake failed, said of the other side. `untrusted`: we refused it, else it refused us."""

    said: str
    untrusted: bool


def context(
    names: Names, ca: Path | None, certificate: Path | None = None, key: Path | None = None, password: str | None = None
) -> ssl.SSLContext:
    """Return a context that trusts `ca` (None = what the system trusts) and shows the certificate. Raises
    SettingsError."""
    try:
        made = ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ValueError) as error:
        raise SettingsError(_unreadable(names.ca, ca, error)) from error
    if key is not None and certificate is None:
        raise SettingsError(f"{names.key} is set and {names.certificate} is not: a client certificate takes both")
    if certificate is not None:
        for name, file in ((names.certificate, certificate), (names.key, key)):
            if file is not None and not file.is_file():
                raise SettingsError(f"{name} names {file}, which is no file: correct it, or put the file there")
        try:
            # Always a password: without one OpenSSL asks for that of an encrypted key at the terminal.
            made.load_cert_chain(certificate, key, password=password or "")
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"the client certificate {certificate} cannot be used ({_reason(error)}): {names.certificate} and"
                f" {names.key} take a certificate and its key in PEM, and an encrypted key its password"
            ) from error
    return made


def fault(error: BaseException, host: str, names: Names, *, has_certificate: bool) -> Fault | None:
    """Return what a TLS failure somewhere in the chain of an error means, None where there is none or it is unclear."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Fault(_distrust(cause, host, names), untrusted=True)
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return Fault(_refusal(cause.reason or "", names, has_certificate), untrusted=False)
    return None


def hung_up(error: BaseException) -> bool:
    """Tell whether the other side ended a handshake without a word."""
    return any(isinstance(cause, ssl.SSLEOFError | ConnectionResetError) for cause in _chain(error))


def _distrust(error: ssl.SSLCertVerificationError, host: str, names: Names) -> str:
    if error.verify_code == _EXPIRED:
        return "its certificate has expired: renew it there"
    if error.verify_code == _NOT_YET:
        return "its certificate is not valid yet: compare the clocks of both machines"
    if error.verify_code in _OTHER_NAME:
        return f"its certificate is not for {host}: use a name that it is for, or have one made for this name"
    return (
        f"its certificate was signed by an authority that is not trusted here: set {names.ca} to the certificate of"
        " that authority (PEM)"
    )


def _refusal(reason: str, names: Names, has_certificate: bool) -> str:
    if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
        if has_certificate:
            return f"it refuses the certificate of {names.certificate}: renew it, or let the server trust its authority"
        return f"it asks clients for a certificate: set {names.certificate} and {names.key}"
    return f"it ended the TLS handshake ({reason.lower()}): check which TLS versions and ciphers it allows"


def _unreadable(name: str, file: Path | None, error: Exception) -> str:
    return f"{file} cannot be used as certificates to trust ({_reason(error)}): {name} takes a PEM file"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").lower().replace("_", " ")
    return (error.strerror if isinstance(error, OSError) else None) or "not readable"


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            # urllib3 keeps what happened in `reason` and in `args`, and raises from something else.
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
