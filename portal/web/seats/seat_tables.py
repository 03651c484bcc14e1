"""Owns the three tables of an explanation: the decisions of the five factors, the facts by facet, the history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nicegui import ui

from portal.web.pieces.figures import LocalTime
from portal.web.pieces.text import Text, heading, table, tag
from portal.web.pieces.words import FACETS, factor_label
from portal.web.seats.seat_list import seat_address
from portal.web.seats.seat_words import cause_words, fact_words
from schemas.times import format_time, parse_time


def decisions_table(decisions: Sequence[Mapping[str, Any]]) -> None:
    """Show what each factor says of a subject."""
    heading("Decisions")
    with table("Decisions", ("Factor", "Matches", "Enabled", "Counted here", "Why")):
        for decision in decisions:
            with tag("tr").classes("chosen" if decision["counted"] else ""):
                Text("th", factor_label(decision["factor"])).props("scope=row")
                for key in ("matches", "enabled", "counted"):
                    Text("td", "yes" if decision[key] else "no").classes("ok" if decision[key] else "faint")
                Text("td", decision["reason"]).classes("reason")


def facts_table(facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Show what is known of a subject, facet by facet, who told it and when it was observed."""
    heading("Facts")
    with table("Facts", ("Facet", "What is known", "Source", "Observed at")):
        for facet, title in FACETS.items():
            if facet not in facts:
                continue
            told = facts[facet]
            with tag("tr"):
                Text("th", title).props("scope=row")
                with tag("td"):
                    _known(told["facts"])
                Text("td", told["source"])
                with tag("td"):
                    LocalTime(parse_time(told["observed_at"]))


def _known(facts: Mapping[str, Any] | None) -> None:
    words = fact_words(facts) if facts is not None else []
    if not words:
        Text("span", "Its source does not know it any more." if facts is None else "No details.").classes("faint")
        return
    with tag("dl").classes("facts"):
        for name, value in words:
            Text("dt", name)
            Text("dd", value)


def moves_table(tenant: str, subject: str, moves: Sequence[Mapping[str, Any]], at: datetime | None) -> None:
    """Show how a subject moved between factors, the newest first; each leads to the explanation at its instant."""
    heading("History of its changes")
    if not moves:
        Text("p", "It was never counted.").classes("faint")
        return
    shown = format_time(at) if at else None
    with table("History of its changes", ("When", "From", "To", "By")):
        for move in reversed(moves):
            with tag("tr").classes("chosen" if move["at"] == shown else ""):
                with tag("td"):
                    link = ui.link(target=seat_address(tenant, subject, parse_time(move["at"])))
                    if move["at"] == shown:
                        link.props("aria-current=true")
                    with link:
                        LocalTime(parse_time(move["at"]))
                Text("td", factor_label(move["from_factor"]))
                Text("td", factor_label(move["to_factor"]))
                Text("td", cause_words(move))
