"""Owns the licence rules as sentences: which factor a subject matches and why, from its facts (LICENSE-FACTORS §4).

The slow, wordy twin of `licensing.profile`: it serves explanations, audits and the recount that all is tested against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from licensing.criteria import CompiledCriteria
from licensing.factors import DR_PHONE, FACTORS, LICENSED, LOADED, counted_factor
from schemas.count import FactorName

FactsByFacet = Mapping[str, Mapping[str, Any] | None]
"""Facts by facet; None = observed once and now cleared or swept; an absent facet was never observed."""


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a subject matches a rule, and why, in words."""

    matches: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one factor for a subject."""

    factor: FactorName
    enabled: bool
    matches: bool
    counted: bool
    reason: str


def is_deleted(facts: FactsByFacet) -> bool:
    """A user is deleted if the directory says so, or knew it once and does not any more."""
    if "directory" not in facts:
        return False
    directory = facts["directory"]
    return directory is None or directory.get("deleted") is True


def _direct_routing_but_for_gateway(facts: FactsByFacet) -> Match:
    number = facts.get("phone_number")
    if number is None:
        return Match(False, "no phone number is known")
    number_type = number.get("number_type")
    if (number_type or "").lower() != "directrouting":
        return Match(False, f"the number type is {number_type or 'unknown'}, not directRouting")
    if "voice" in facts:
        voice = facts["voice"]
        if voice is None:
            return Match(False, "the source of voice settings no longer knows the user, so Enterprise Voice is off")
        if voice.get("enterprise_voice") is False:
            return Match(False, "Enterprise Voice is off")
    return Match(True, "a Direct Routing number")


def direct_routing(facts: FactsByFacet, criteria: CompiledCriteria) -> Match:
    """Direct Routing: the number's type, Enterprise Voice, and the gateway criterion."""
    match = _direct_routing_but_for_gateway(facts)
    if not match.matches:
        return match
    gateway = (facts.get("voice") or {}).get("gateway")
    if criteria.gateway is None:
        return Match(True, "a Direct Routing number; the tenant has no gateways configured, so the number type decides")
    if not gateway:
        return Match(True, "a Direct Routing number; the gateway is unknown, so the number type decides")
    if criteria.gateway(gateway):
        return Match(
            True, f"a Direct Routing number through the gateway {gateway}, which the gateway criterion accepts"
        )
    return Match(False, f"the gateway {gateway} does not meet the gateway criterion")


def operator_connect(facts: FactsByFacet) -> Match:
    """Operator Connect: the number's type."""
    number = facts.get("phone_number")
    if number is None:
        return Match(False, "no phone number is known")
    number_type = number.get("number_type")
    if (number_type or "").lower() == "operatorconnect":
        return Match(True, "an Operator Connect number")
    return Match(False, f"the number type is {number_type or 'unknown'}, not operatorConnect")


def lifecycle(facts: FactsByFacet) -> Match:
    """Lifecycle management: in at least one template group."""
    groups = (facts.get("lifecycle") or {}).get("groups")
    if groups:
        return Match(True, f"in the template group {', '.join(groups[:3])}{' and others' if len(groups) > 3 else ''}")
    return Match(False, "in no template group")


def user_interface(facts: FactsByFacet) -> Match:
    """A change by hand in the portal is on record, even one without details."""
    interface = facts.get("interface")
    if interface is None:
        return Match(False, "no change by hand is on record")
    change, by = interface.get("change"), interface.get("changed_by")
    return Match(True, f"changed by hand{f' by {by}' if by else ''}{f': {change}' if change else ''}")


def is_loaded(facts: FactsByFacet) -> bool:
    """A number is loaded if a dial plan or a service-number source holds it."""
    return facts.get("dial_plan") is not None or facts.get("service_number") is not None


def service_number(facts: FactsByFacet, criteria: CompiledCriteria) -> Match:
    """A service number: loaded, not held by a user, and its tag neither a Direct Routing number's nor rejected."""
    if not is_loaded(facts):
        return Match(False, "neither a dial plan nor a service-number source holds the number")
    if (facts.get("service_number") or {}).get("held_by_user"):
        return Match(False, "a user holds the number")
    tag = (facts.get("dial_plan") or {}).get("tag")
    if not tag:
        return Match(True, "a service number without a dial-plan tag, which meets no criterion")
    if criteria.dr_numbers(tag):
        return Match(False, f"the dial-plan tag {tag} marks a Direct Routing number")
    if criteria.reject is not None and criteria.reject(tag):
        return Match(False, f"the dial-plan tag {tag} is rejected as a service number")
    return Match(True, f"the dial-plan tag {tag} meets no criterion, so the number is a service number")


def matches(subject: str, facts: FactsByFacet, criteria: CompiledCriteria) -> dict[FactorName, Match]:
    """Return what each of the five factors says of a subject, in the order of priority."""
    if subject.startswith("number:"):
        no = Match(False, "only users match this factor")
        return {
            factor.name: service_number(facts, criteria) if factor.name == "service_number" else no
            for factor in FACTORS
        }
    if is_deleted(facts):
        gone = Match(False, "the user is deleted")
        return {factor.name: gone for factor in FACTORS}
    return {
        "direct_routing": direct_routing(facts, criteria),
        "operator_connect": operator_connect(facts),
        "lifecycle": lifecycle(facts),
        "user_interface": user_interface(facts),
        "service_number": Match(False, "only numbers match this factor"),
    }


def profile_from_facts(subject: str, facts: FactsByFacet, criteria: CompiledCriteria) -> int:
    """Return the profile that the rules give to these facts."""
    by_factor = matches(subject, facts, criteria)
    profile = sum(factor.bit for factor in FACTORS if by_factor[factor.name].matches)
    if subject.startswith("number:"):
        return profile | (LOADED if is_loaded(facts) else 0)
    if is_deleted(facts):
        return 0
    subscription = facts.get("subscription") or {}
    if subscription.get("skus") or subscription.get("teams_phone"):
        profile |= LICENSED
    if subscription.get("teams_phone") and _direct_routing_but_for_gateway(facts).matches:
        profile |= DR_PHONE
    return profile


def explain(subject: str, facts: FactsByFacet, criteria: CompiledCriteria, enabled: int) -> list[Decision]:
    """Return the decision of each factor with its reason in words, in the order of priority; at most one counts."""
    by_factor = matches(subject, facts, criteria)
    winner = counted_factor(profile_from_facts(subject, facts, criteria), enabled)
    decisions: list[Decision] = []
    for factor in FACTORS:
        match = by_factor[factor.name]
        is_enabled = bool(enabled & factor.bit)
        reason = match.reason
        if match.matches and not is_enabled:
            reason += "; the factor is not enabled, so it counts nothing"
        elif match.matches and winner is not None and winner is not factor:
            reason += f"; already counted at {winner.label}"
        decisions.append(Decision(factor.name, is_enabled, match.matches, winner is factor, reason))
    return decisions
