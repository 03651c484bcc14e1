"""Owns what the settings make of the portal's entrance: everybody's who uses this machine, or a sign-in."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from portal.access.claims import RoleRules, parse_grant
from portal.access.gate import Recognise, anybody_here
from portal.entrance.entrance import OF_THIS_MACHINE, Entrance
from portal.services import utc_now
from runtime.settings import DEFAULT_CONFIG, Auth, Settings, variable


class AccessError(Exception):
    """The portal cannot be entered as the settings say; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and how one gets in."""

    recognise: Recognise
    entrance: Entrance


LOCAL = Access(anybody_here, OF_THIS_MACHINE)


def access_of(auth: Auth) -> Access:
    """Return the access that the settings name. Raises AccessError."""
    return LOCAL if auth.mode == "local" else _by_sign_in(auth)


def refuse_open_door(settings: Settings, listener: socket.socket) -> None:
    """Raise AccessError where others than this machine reach a portal that asks nobody to sign in."""
    address = listener.getsockname()[0]
    if settings.auth.mode == "local" and not ipaddress.ip_address(address).is_loopback:
        raise AccessError(
            f"the portal would listen on {settings.portal.host}, which other machines reach, and ask nobody to sign in."
            f" Let people sign in ({variable(('auth', 'mode'))}=oidc, docs/sign-in.md), or let it listen on 127.0.0.1"
            f" ({variable(('portal', 'host'))})"
        )


def _by_sign_in(auth: Auth) -> Access:
    # They take a while to load, and a portal of this machine needs none of them.
    from portal.access.provider import Client, Provider
    from portal.access.sessions import Cookies, Sessions
    from portal.access.sign_in import create_sign_in
    from portal.entrance.rates import Rates

    public = _address(auth.public_url, "public_url")
    if urlsplit(public).path:
        raise AccessError(
            f"{_named('public_url')} is {public}, and the portal is at the root of its host: leave the path out"
        )
    client = Client(
        issuer=_address(auth.issuer, "issuer"),
        client_id=_given(auth.client_id, "client_id"),
        client_secret=_secret(auth),
        scopes=auth.scopes,
        redirect_url=f"{public}/auth/callback",
        signed_out_url=f"{public}/auth/signed-out",
    )
    key = _given(None if auth.session_key is None else auth.session_key.get_secret_value(), "session_key")
    sessions = Sessions(Cookies(key, secure=public.startswith("https:")), auth.session_hours, utc_now)
    rules = RoleRules(
        auth.roles_claims,
        auth.tenants_claim,
        frozenset(auth.provider_admins),
        {value: parse_grant(meant) for value, meant in auth.role_map.items()},
        auth.trust_email,
    )
    entrance = Entrance(
        origin=public,
        session_cookie=sessions.cookie,
        rates=Rates(auth.requests_per_s),
        sign_in=create_sign_in(Provider(client), sessions, rules),
    )
    return Access(sessions.recognise, entrance)


def _given(value: str | None, name: str) -> str:
    if not value:
        raise AccessError(f"{_named(name)} is not set, and mode oidc needs it: docs/sign-in.md says what it is")
    return value


def _address(value: str | None, name: str) -> str:
    """Return an address that nobody on the way can listen to."""
    address = _given(value, name)
    parts = urlsplit(address)
    if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise AccessError(f"{_named(name)} is {address}, where others can listen: it begins with https://")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secret(auth: Auth) -> str:
    if auth.client_secret is not None:
        return auth.client_secret.get_secret_value()
    if auth.client_secret_file is None:
        raise AccessError(
            f"neither {_named('client_secret')} nor {_named('client_secret_file')} is set: mode oidc needs one"
        )
    try:
        return _given(auth.client_secret_file.read_text("utf-8").strip(), "client_secret_file")
    except OSError as error:
        raise AccessError(
            f"{auth.client_secret_file} cannot be read: {error.strerror}. Correct {_named('client_secret_file')}"
        ) from error


def _named(name: str) -> str:
    return f"{variable(('auth', name))} (auth.{name} in {DEFAULT_CONFIG})"
