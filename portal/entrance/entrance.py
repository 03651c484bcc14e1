"""Owns how the portal is entered, as one value: under which names, from which pages, how fast, and where one signs
in. Who somebody is, is found out by `Recognise`."""

from dataclasses import dataclass

from starlette.applications import Starlette

from portal.entrance.hosts import LOOPBACK
from portal.entrance.rates import Rates


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the guards before API and pages need to know. The default lets in whoever can reach the process."""

    hosts: frozenset[str] | None = None
    """The names that requests may be for; None = any."""
    origin: str | None = None
    """`https://portal.example`, as browsers know it; None = whatever they ask for."""
    session_cookie: str | None = None
    rates: Rates | None = None
    sign_in: Starlette | None = None
    """What is under /auth; None = nobody signs in here."""


OF_THIS_MACHINE = Entrance(hosts=LOOPBACK)
"""Of a portal without a sign-in: its machine's alone."""
