"""Owns the words for what a count carries as codes: hints, causes, facets, states of sources."""

from collections.abc import Mapping

from licensing.factors import BY_NAME
from licensing.timeline import Kind
from schemas.count import Cause
from schemas.events import FacetName
from schemas.sources import Reading

HINTS = {
    "no_gateways": "No gateways are configured, so number types alone decide about Direct Routing.",
    "no_pool": "The number of acquired licenses is not set, so nothing can be said of what is available.",
    "sync_held": "A sync would have removed suspiciously many and waits for a confirmation (Sources).",
    "source_failing": "A source cannot be read; what it told before still counts (Sources).",
    "few_teams_phone_licences": "The tenant holds fewer Teams Phone licences than users who are enabled for voice.",
}

SHORT_HINTS = {
    "no_gateways": "no gateways",
    "no_pool": "no pool",
    "sync_held": "sync held",
    "source_failing": "source fails",
    "few_teams_phone_licences": "few Teams Phone licences",
}

FACETS: dict[FacetName, str] = {
    "directory": "Directory",
    "subscription": "Microsoft 365 licences",
    "voice": "Voice settings",
    "phone_number": "Phone numbers",
    "lifecycle": "Template groups",
    "interface": "Changes by hand",
    "dial_plan": "Dial plan",
    "service_number": "Service numbers",
}

READINGS: dict[Reading, str] = {"reading": "being read", "ok": "read", "held": "held", "failing": "failing"}


def factor_label(name: str | None) -> str:
    """Return the label of a factor; `not counted` for none."""
    return BY_NAME[name].label if name in BY_NAME else "not counted"


def short_factor_label(name: str | None) -> str:
    """Return the label of a factor without the word that all begin with, for tables of many rows."""
    return factor_label(name).removeprefix("Managed Users - ").removeprefix("Managed ")


def totals_words(totals: Mapping[Kind, int]) -> str:
    """Return how many subjects were gained, lost and moved, by kind; empty for nobody."""
    return ", ".join(f"{number:,} {kind}" for kind, number in totals.items() if number)


def cause(told: Cause) -> str:
    """Return why a count moved."""
    if told.kind == "users":
        parts = [f"{told.subjects_gained:,} gained" if told.subjects_gained else "",
                 f"{told.subjects_lost:,} lost" if told.subjects_lost else ""]  # fmt: skip
        moved = " and ".join(part for part in parts if part)
        return f"users and numbers changed: {moved}" if moved else "users and numbers changed, the count did not"
    return {
        "rules": "rules or factors were changed",
        "pool": "the acquired licenses were changed",
        "refresh": "the sources were refreshed",
        "heartbeat": "nothing changed for an hour",
        "rebuild": "counted anew from what is stored, after a start",
    }[told.kind]
