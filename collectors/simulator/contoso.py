"""Owns contoso, the vendor's worked example: 200 + 100 + 0 + 50 + 20 = 370 of 500. It stands still."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from collectors.simulator.changes import SYNCED_FACETS, Event, marker, news
from collectors.simulator.subjects import Line, Person
from schemas.settings import TenantSettings
from schemas.times import EPOCH

TENANT = "contoso"
GATEWAY = "sbc1.contoso.example"
POOL = 500
_BY_DIRECT_ROUTING, _BY_OPERATOR_CONNECT, _BY_HAND = 200, 100, 50
_SERVICES = ("auto_attendant",) * 12 + ("conference",) * 3 + (None,) * 5
"""What the 20 service numbers are: kinds of the numbers file, None for those of the dial plan alone."""
_A_YEAR_S = 31_536_000


def settings() -> TenantSettings:
    """Return contoso's settings. Nothing confirms what stands still, so it goes stale only after a year."""
    return TenantSettings(
        tenant=TENANT, display_name="Contoso", acquired_licenses=POOL, gateways=[GATEWAY], stale_after_s=_A_YEAR_S
    )


def people() -> list[Person]:
    """Return the 350 users: by Direct Routing, by Operator Connect, and those changed by hand, in this order."""
    return [_person(place) for place in range(_BY_DIRECT_ROUTING + _BY_OPERATOR_CONNECT + _BY_HAND)]


def _person(place: int) -> Person:
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{place}.contoso.example"))
    person = Person(identity, f"User {place + 1:03d}", f"user{place + 1:03d}@contoso.example", skus=("SPE_E3",))
    person.is_blocked = place % 120 == 7
    if place < _BY_DIRECT_ROUTING + _BY_OPERATOR_CONNECT:
        person.skus, person.teams_phone, person.number = ("SPE_E5",), True, f"+1555020{place:04d}"
        person.number_type = "directRouting" if place < _BY_DIRECT_ROUTING else "operatorConnect"
        person.gateway = GATEWAY if place < _BY_DIRECT_ROUTING else None
    else:
        person.by_hand_at = EPOCH
    return person


def lines() -> list[Line]:
    """Return the 20 service numbers."""
    return [
        Line(f"+1555021{place:04d}", "fax" if kind is None else "service", f"line {place + 1}", kind)
        for place, kind in enumerate(_SERVICES)
    ]


def tally() -> dict[int, int]:
    """Return the number of subjects by profile."""
    subjects: list[Person | Line] = [*people(), *lines()]
    return dict(Counter(subject.profile() for subject in subjects))


def events(at: datetime) -> Iterator[Event]:
    """Give out all that sources hold of contoso, observed at `at`, closed by the syncs."""
    for person in people():
        if person.by_hand_at is not None:
            person.by_hand_at = at
        yield from news(TENANT, person, None, at)
    for line in lines():
        yield from news(TENANT, line, None, at)
    for facet in SYNCED_FACETS:
        yield marker("sync_completed", TENANT, facet, at)
