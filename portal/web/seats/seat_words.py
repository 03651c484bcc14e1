"""Owns how seats read: an explanation's sentence on top, the names of facts and the words for their values, and what is
said where a list holds nobody. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.web.pieces.words import factor_label

_NONE_NOW = {
    "counted": "Nobody and nothing is counted: import the exports of this tenant, or let Microsoft Graph be read"
    " (Settings).",
    "none": "Everything that is known is counted.",
    "all": "Nothing is known yet: import the exports of this tenant, or let Microsoft Graph be read (Settings).",
}
_NONE_THEN = {
    "counted": "Nobody and nothing was counted at this time: choose a later one, or go back to now.",
    "none": "Nothing was known and not counted at this time.",
    "all": "Nothing was known at this time: choose a later one, or go back to now.",
}
_BEFORE_REASON = {
    "direct_routing": "it has ",
    "operator_connect": "it has ",
    "lifecycle": "it is ",
    "user_interface": "it was ",
}
_NAMES = {
    "user_principal_name": "User principal name",
    "sip_address": "SIP address",
    "user_type": "Kind of user",
    "changed_at": "Changed at",
    "skus": "Licences held",
    "teams_phone": "Teams Phone",
    "teams_phone_status": "Status of Teams Phone",
    "enterprise_voice": "Enterprise Voice",
}
CAUSES = {
    "event": "an observation",
    "sweep": "a full sync that did not see it any more",
    "rules": "changed criteria",
    "removed": "the removal of the tenant",
    "settings": "changed settings",
}


def because(explanation: Mapping[str, Any]) -> str:
    """Return why a subject is counted where it is, or why it is not counted: what follows `because`."""
    decisions: Sequence[Mapping[str, Any]] = explanation["decisions"]
    winner = next((decision for decision in decisions if decision["counted"]), None)
    if winner is not None:
        reason = winner["reason"]
        if winner["factor"] == "service_number":
            return f"it is {reason}" if reason.startswith("a ") else str(reason)
        return _BEFORE_REASON[winner["factor"]] + str(reason)
    matching = [factor_label(decision["factor"]) for decision in decisions if decision["matches"]]
    if matching:
        return f"it matches {' and '.join(matching)} alone, and that is switched off"
    reasons = {decision["reason"] for decision in decisions}
    return reasons.pop() if len(reasons) == 1 else "it matches no factor"


def name_of(explanation: Mapping[str, Any]) -> str | None:
    """Return the name that a directory or a dial plan gives to a subject."""
    facts = [(explanation["facts"].get(facet) or {}).get("facts") or {} for facet in ("directory", "dial_plan")]
    return facts[0].get("display_name") or facts[1].get("name")


def fact_words(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts that are known of a facet as names and values."""
    return [(_NAMES.get(name, name.replace("_", " ").capitalize()), _value(value))
            for name, value in facts.items() if value is not None]  # fmt: skip


def cause_words(change: Mapping[str, Any]) -> str:
    """Return what moved a subject."""
    source = f" by {change['source']}" if change["source"] else ""
    return CAUSES.get(change["cause"], str(change["cause"])) + source


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "none"
    return str(value)


def none_found(factor: str, search: str, *, past: bool) -> str:
    """Return what is said of a list without seats; what was so in the past cannot be mended by importing now."""
    if search:
        return f"Nothing that is found here holds “{search}” in its id or a name."
    words = _NONE_THEN if past else _NONE_NOW
    return words.get(factor, f"Nobody and nothing {'was' if past else 'is'} counted at this factor.")
