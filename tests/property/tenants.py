"""Owns the generation of a small tenant for property tests: settings, facts that matter to the rules, observations."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from licensing.recount import Observed, Synced
from schemas.events import FACTS, NUMBER_FACETS, USER_FACETS
from schemas.settings import Criteria, Factors, ProviderSettings, TenantSettings
from schemas.times import EPOCH

# Few values, so that they meet; some of them hold what a regular expression would take for more than itself.
GATEWAYS = ["sbc1.contoso.example", "sbc2", "a+b", "(x", "[y]", "q?", r"b\d", "$^", "ü.example", "*", "_"]
TAGS = ["", *GATEWAYS, "SBC1.CONTOSO.EXAMPLE", "via sbc1.contoso.example 7", "sbc1xcontoso.example", "cust-1", "CUST-1"]
TAGS += ["xcust-1", "ms-1", "fax", "dr-7", "reject", "_sbc2_", "é", "\n", "PSTNGATEWAY_TO_REPLACE"]
PATTERNS = [
    "", ".", "^dr-", "(?i)DR-", "x(?i)CUST", "^reject$", "_PSTNGATEWAY_TO_REPLACE_", "PSTNGATEWAY_TO_REPLACE",
    "^_PSTNGATEWAY_TO_REPLACE_$", "^__PSTNGATEWAY_TO_REPLACE__$", "(?i)^UMPCUSTOMERGUID_TO_REPLACE$",
    "_MSTENANTID_TO_REPLACE_|^fax", "^$", "_UMPCUSTOMERGUID_TO_REPLACE_|_MSTENANTID_TO_REPLACE_",
    "^.*(?i)_PSTNGATEWAY_TO_REPLACE_.*$", "é",
]  # fmt: skip
NUMBER_TYPES = [
    "directRouting",
    "DIRECTROUTING",
    "operatorConnect",
    "operatorconnect",
    "callingPlan",
    "",
    "direct routing",
]

_switch = st.none() | st.booleans()
_pattern = st.none() | st.sampled_from(PATTERNS)
_switches = st.builds(Factors, lifecycle=_switch, user_interface=_switch, service_number=_switch)
SETTINGS = st.builds(
    TenantSettings,
    tenant=st.just("contoso"),
    service_type=st.sampled_from(
        [
            "ump_365",
            "hosted_essentials",
            "oc_essentials",
            "hosted_essentials_plus",
            "hosted_pro",
            "oc_essentials_plus",
            "oc_pro",
        ]
    ),
    factors=_switches,
    criteria=st.builds(
        Criteria, licensed_users_by_gateway=_pattern, dr_numbers=_pattern, reject_service_numbers=_pattern
    ),
    customer_guid=st.none() | st.just("Cust-1"),
    ms_tenant_id=st.none() | st.just("ms-1"),
    gateways=st.lists(st.sampled_from(GATEWAYS), max_size=3),
    acquired_licenses=st.none() | st.integers(0, 50),
)
PROVIDERS = st.none() | st.builds(ProviderSettings, factors=_switches)

_FACTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "directory": {"deleted": st.booleans(), "account_enabled": st.booleans(), "user_type": st.sampled_from(["Guest"])},
    "interface": {"change": st.sampled_from(["", "a"]), "changed_at": st.just("2026-01-01T00:00:00.000Z")},
    "subscription": {"skus": st.lists(st.sampled_from(["E5"]), max_size=1), "teams_phone": st.booleans()},
    "voice": {"enterprise_voice": st.booleans(), "gateway": st.sampled_from(TAGS)},
    "phone_number": {"number_type": st.sampled_from(NUMBER_TYPES), "number": st.just("+1")},
    "lifecycle": {"groups": st.lists(st.sampled_from(["a", "b"]), max_size=2)},
    "dial_plan": {"tag": st.sampled_from(TAGS), "number": st.just("+1")},
    "service_number": {"held_by_user": st.booleans(), "kind": st.sampled_from(["fax", "odd"])},
}
assert set(_FACTS) == set(FACTS)


def facts_of(facet: str) -> st.SearchStrategy[dict[str, Any] | None]:
    """Facts of a facet, any of them absent or null; None = cleared."""
    often = {name: st.none() | fact | fact | fact for name, fact in _FACTS[facet].items()}
    known = st.fixed_dictionaries({}, optional=often) | st.fixed_dictionaries(often)
    # Whoever is deleted matches nothing, and would hide what the other facets do.
    return st.none() | known | known | known if facet != "directory" else st.just({}) | st.just({}) | known | st.none()


def known_of(facets: frozenset[str]) -> st.SearchStrategy[dict[str, dict[str, Any] | None]]:
    """What is known of a subject: some of the facets, each with facts or cleared."""
    each = {facet: facts_of(facet) for facet in sorted(facets)}
    return st.fixed_dictionaries({}, optional=each) | st.fixed_dictionaries(each)


USER_FACTS, NUMBER_FACTS = known_of(USER_FACETS), known_of(NUMBER_FACETS)
SUBJECTS = st.dictionaries(st.integers(0, 9).map("user:u{}".format), USER_FACTS, max_size=8).flatmap(
    lambda users: st.dictionaries(st.integers(0, 9).map("number:{}".format), NUMBER_FACTS, max_size=5).map(
        lambda numbers: users | numbers
    )
)
"""Facts by facet, of some users and some numbers."""

# Close together and around 1970, so that ties and instants before the epoch are common.
INSTANTS = st.integers(-3, 3).map(lambda ms: EPOCH + timedelta(milliseconds=ms))
SOURCES = st.sampled_from(["a", "b"])


@st.composite
def observed(draw: st.DrawFn) -> Observed:
    """An observation of one of few subjects."""
    facet = draw(st.sampled_from(sorted(FACTS)))
    subject = draw(st.sampled_from(["user:u0", "user:u1"] if facet in USER_FACETS else ["number:0", "number:1"]))
    return Observed(subject, facet, draw(INSTANTS), draw(SOURCES), draw(facts_of(facet)))


SYNCED = st.builds(Synced, facet=st.sampled_from(sorted(FACTS)), source=SOURCES, started_at=INSTANTS)
