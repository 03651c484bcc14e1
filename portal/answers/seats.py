"""Owns the answers about single subjects: who is counted and since when, and why."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from licensing.criteria import compile_criteria
from licensing.factors import FACTORS, counted_name, matched_factors
from licensing.rules import explain
from licensing.timeline import Move, moves, since
from portal.answers.masks import MaskHistory
from portal.ports import FacetFacts, ProfileChange, Seat, Store
from schemas.times import format_time

FILTERS = ("counted", *(factor.name for factor in FACTORS), "none", "all")
"""Which subjects a list of seats may hold: all that are counted, those counted at a factor, `none` (known and not
counted), `all`."""


def list_seats(
    store: Store, tenant: str, masks: MaskHistory, *,
    at: datetime | None, factor: str, search: str | None, after: str, limit: int,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return up to `limit` seats after the subject `after`, as the API shows them."""
    mask = masks.at(at)[1]
    found = store.seats(tenant, at=at, enabled=mask, factor=factor, search=search, after=after, limit=limit)
    history = _by_subject(store.profile_changes(tenant, [seat.subject for seat in found], at)) if found else {}
    return [_seat(seat, mask, subject_moves(history.get(seat.subject, []), masks, at)) for seat in found]


def _seat(seat: Seat, mask: int, found: Sequence[Move]) -> dict[str, Any]:
    began = since(found)
    return {
        "subject": seat.subject,
        "display_name": seat.display_name,
        "user_principal_name": seat.user_principal_name,
        "factor": counted_name(seat.profile, mask),
        "matched": matched_factors(seat.profile),
        "since": format_time(began) if began else None,
    }


def explain_seat(
    store: Store, tenant: str, subject: str, masks: MaskHistory, at: datetime | None
) -> dict[str, Any] | None:
    """Return the explanation of a subject now or as recorded at an instant, None for one that was not known."""
    facets = store.facts(tenant, subject, at)
    if not facets:
        return None
    settings, mask = masks.at(at)
    facts = {facet.facet: facet.facts for facet in facets}
    decisions = explain(subject, facts, compile_criteria(settings), mask)
    changes = list_moves(store, tenant, subject, masks, at)
    return {
        "subject": subject,
        "factor": next((decision.factor for decision in decisions if decision.counted), None),
        "since": changes[-1]["at"] if changes else None,
        "facts": {facet.facet: _facet(facet) for facet in facets},
        "decisions": [
            {
                "factor": decision.factor,
                "enabled": decision.enabled,
                "matches": decision.matches,
                "counted": decision.counted,
                "reason": decision.reason,
            }
            for decision in decisions
        ],
        "changes": changes,
    }


def list_moves(
    store: Store, tenant: str, subject: str, masks: MaskHistory, at: datetime | None
) -> list[dict[str, Any]]:
    """Return the moves of a subject between factors up to an instant (None = now), oldest first, as the API shows
    them."""
    changes = store.profile_changes(tenant, [subject], at)
    return [_move(move, changes) for move in subject_moves(changes, masks, at)]


def _facet(facet: FacetFacts) -> dict[str, Any]:
    return {"observed_at": format_time(facet.observed_at), "source": facet.source, "facts": facet.facts}


def subject_moves(changes: Sequence[ProfileChange], masks: MaskHistory, at: datetime | None) -> list[Move]:
    """Return the moves between factors of one subject, from its recorded changes and the enabled factors."""
    return moves([(change.at, change.new_profile) for change in changes], masks.masks(at), masks.default_mask)


def _move(move: Move, changes: Sequence[ProfileChange]) -> dict[str, Any]:
    told = None if move.by_settings else next((item for item in reversed(changes) if item.at == move.at), None)
    return {
        "at": format_time(move.at),
        "from_factor": move.from_factor,
        "to_factor": move.to_factor,
        "kind": move.kind,
        "cause": told.kind if told else "settings",
        "facet": (told.facet or None) if told else None,
        "source": (told.source or None) if told else None,
    }


def _by_subject(changes: Sequence[ProfileChange]) -> dict[str, list[ProfileChange]]:
    return {subject: list(group) for subject, group in groupby(changes, key=lambda change: change.subject)}
