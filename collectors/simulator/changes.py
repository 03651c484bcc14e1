"""Owns what happens in a simulated tenant: hires, leavers, moves between factors, slips of the hand, and their news."""

from datetime import datetime
from typing import Any

from collectors.simulator.site import Site
from collectors.simulator.subjects import FactsByFacet, Line, Person
from schemas.times import format_ms, to_ms

SOURCE = "simulator"
SYNCED_FACETS = ("directory", "subscription", "voice", "phone_number", "lifecycle", "dial_plan", "service_number")
"""The portal's changes by hand are told once and never listed again, so `interface` has no sync."""

Event = dict[str, Any]
_WEIGHTS = {"turnover": 30, "migrate": 14, "template": 14, "by_hand": 14, "rename": 10, "retag": 12, "line": 6}


def news(tenant: str, subject: Person | Line, before: FactsByFacet | None, at: datetime) -> list[Event]:
    """Return an event for each facet that differs from `before` (None: all), observed at `at` or just after the last
    news."""
    subject.observed_ms = max(to_ms(at), subject.observed_ms + 1)
    now = subject.facts()
    changed = {facet: facts for facet, facts in now.items() if before is None or before.get(facet) != facts}
    gone = [facet for facet in before or {} if facet not in now]
    return [_event(tenant, subject, facet, facts) for facet, facts in changed.items()] + [
        _event(tenant, subject, facet, None) for facet in gone
    ]


def _event(tenant: str, subject: Person | Line, facet: str, facts: dict[str, Any] | None) -> Event:
    return {
        "type": facet, "tenant": tenant, "subject": subject.subject, "observed_at": format_ms(subject.observed_ms),
        "source": SOURCE, "facts": facts,
    }  # fmt: skip


def marker(kind: str, tenant: str, facet: str, at: datetime) -> Event:
    """Return a `sync_completed` or `facet_confirmed`."""
    time_key = "started_at" if kind == "sync_completed" else "observed_at"
    return {"type": kind, "tenant": tenant, "facet": facet, "source": SOURCE, time_key: format_ms(to_ms(at))}


def change_something(site: Site, at: datetime, size: int) -> list[Event]:
    """Let one thing happen, and return the news of it. The number of people stays near `size`."""
    kind = site.rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    if kind == "line":
        return _change_lines(site, at)
    if kind == "retag":
        return _retag(site, at)
    present = [person for person in site.people if not person.has_left]
    if kind == "turnover" or not present:
        if len(present) < 2 or site.rng.random() * 2 * size > len(present):
            person = site.new_person(at)
            site.people.append(person)
            return news(site.tenant, person, None, at)
        kind = "leave"
    person = site.rng.choice(present)
    before = person.facts()
    _change_person(site, person, kind, at)
    return news(site.tenant, person, before, at)


def _change_person(site: Site, person: Person, kind: str, at: datetime) -> None:
    if kind == "leave":
        person.has_left, person.number, person.number_type, person.gateway = True, None, None, None
    elif kind == "migrate":
        site.give_number(person, "operatorConnect" if person.number_type == "directRouting" else "directRouting")
    elif kind == "template":
        person.groups = () if person.groups else ("template-standard",)
    elif kind == "by_hand":
        person.by_hand_at = None if person.by_hand_at else at
    else:
        first, last = person.display_name.split(" ", 1)
        person.display_name = f"{first} {last.split('-')[0]}-{site.rng.choice(('Lang', 'Roux', 'Stone', 'Vega'))}"


def _retag(site: Site, at: datetime) -> list[Event]:
    """Mistype the tag of a routed number, or put it right: a slip costs a licence until somebody sees it."""
    routed = [line for line in site.lines if line.name == "site"]
    if not routed:
        return _change_lines(site, at)
    line = site.rng.choice(routed)
    before = line.facts()
    line.is_routed = not line.is_routed
    line.tag = site.gateway if line.is_routed else site.gateway.replace(".", ",", 1)
    return news(site.tenant, line, before, at)


def _change_lines(site: Site, at: datetime) -> list[Event]:
    if len(site.lines) > max(2, len(site.people) // 12):
        line = site.lines.pop(site.rng.randrange(len(site.lines)))
        line.observed_ms = max(to_ms(at), line.observed_ms + 1)
        return [_event(site.tenant, line, facet, None) for facet in line.facts()]
    line = site.new_line()
    site.lines.append(line)
    return news(site.tenant, line, None, at)


def full_sync(site: Site, at: datetime) -> list[Event]:
    """Return what a source tells when it is asked for everything: all that is there, then one sync a facet. Those who
    have left are not there any more."""
    site.people = [person for person in site.people if not person.has_left]
    # Nothing of this may be older than the start of the sync, or it would be swept.
    told = [event for subject in site.subjects() for event in news(site.tenant, subject, None, at)]
    events = [event for event in told if event["type"] in SYNCED_FACETS]
    return events + [marker("sync_completed", site.tenant, facet, at) for facet in SYNCED_FACETS]
