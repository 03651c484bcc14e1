"""Owns the profile of a subject: one byte, all it matches (LICENSE-FACTORS §4), from what the state keeps of it.

`licensing.rules` says the same of facts, in words; a property test holds the two together.
"""

from collections.abc import Iterable

from licensing.criteria import CompiledCriteria
from licensing.facets import (
    DELETED,
    DIAL_PLAN,
    DIRECTORY,
    GROUPED,
    HELD,
    INTERFACE,
    IS_DIRECT_ROUTING,
    IS_OPERATOR_CONNECT,
    LIFECYCLE,
    LIVE,
    PHONE_NUMBER,
    SERVICE_NUMBER,
    SUBSCRIPTION,
    TEAMS_PHONE,
    VOICE,
    VOICE_OFF,
    Facet,
)
from licensing.facets import LICENSED as HOLDS_LICENCE
from licensing.factors import DIRECT_ROUTING, DR_PHONE, LICENSED, LOADED, OPERATOR_CONNECT, USER_INTERFACE
from licensing.factors import LIFECYCLE as BY_TEMPLATE
from licensing.factors import SERVICE_NUMBER as COUNTS_AS_SERVICE_NUMBER


def profile_of(facets: Iterable[Facet], criteria: CompiledCriteria) -> int:
    """Return the profile of a subject. A deleted user has the profile 0."""
    profile = 0
    direct_routing = teams_phone = number_is_loaded = held = False
    voice_allows = gateway_holds = True
    tag = ""
    for facet in facets:
        number = facet.number
        flags = facet.flags
        if number == DIRECTORY:
            if not flags & LIVE or flags & DELETED:
                return 0
        elif number == VOICE:
            voice_allows = bool(flags & LIVE) and not flags & VOICE_OFF
            if facet.text and criteria.gateway is not None:
                gateway_holds = criteria.gateway(facet.text)
        elif not flags & LIVE:
            continue
        elif number == PHONE_NUMBER:
            direct_routing = bool(flags & IS_DIRECT_ROUTING)
            if flags & IS_OPERATOR_CONNECT:
                profile |= OPERATOR_CONNECT
        elif number == SUBSCRIPTION:
            teams_phone = bool(flags & TEAMS_PHONE)
            if flags & HOLDS_LICENCE:
                profile |= LICENSED
        elif number == LIFECYCLE:
            if flags & GROUPED:
                profile |= BY_TEMPLATE
        elif number == INTERFACE:
            profile |= USER_INTERFACE
        elif number == DIAL_PLAN:
            number_is_loaded = True
            tag = facet.text
        elif number == SERVICE_NUMBER:
            number_is_loaded = True
            held = bool(flags & HELD)
    if direct_routing and voice_allows:
        if gateway_holds:
            profile |= DIRECT_ROUTING
        if teams_phone:
            profile |= DR_PHONE
    if number_is_loaded:
        profile |= LOADED
        if not held and counts_by_tag(tag, criteria):
            profile |= COUNTS_AS_SERVICE_NUMBER
    return profile


def counts_by_tag(tag: str, criteria: CompiledCriteria) -> bool:
    """Tell whether a number with this dial-plan tag is a service number. Without a tag it meets no criterion."""
    if not tag:
        return True
    return not criteria.dr_numbers(tag) and not (criteria.reject is not None and criteria.reject(tag))
