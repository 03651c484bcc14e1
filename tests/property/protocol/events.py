"""Owns the few tenants, subjects, sources and facts of the state machine: so few that they meet."""

import json
from typing import Any

from hypothesis import strategies as st

from schemas.times import format_ms

TENANTS = ["acme", "beta"]
SUBJECTS = ["user:a", "user:b", "user:c", "number:1", "number:2"]
SOURCES = ["graph", "file"]
FACTS: dict[str, list[dict[str, Any] | None]] = {
    "directory": [{}, {"deleted": True}, None],
    "subscription": [{"skus": ["E5"]}, {"teams_phone": True}, None],
    "voice": [{"gateway": "g1"}, {"gateway": "g2"}, {"enterprise_voice": False}, None],
    "phone_number": [{"number_type": "directRouting"}, {"number_type": "operatorConnect"}, None],
    "interface": [{"change": "x"}, None],
    "lifecycle": [{"groups": ["t"]}, {"groups": []}, None],
    "dial_plan": [{"tag": "g1"}, {"tag": "fax"}, {}, None],
    "service_number": [{"held_by_user": True}, {}, None],
}
USER = ["voice", "phone_number", "directory", "subscription", "interface", "lifecycle"]
NUMBER = ["dial_plan", "service_number"]

BODIES: list[dict[str, Any]] = [
    {},
    {"gateways": ["g1"]},
    {"gateways": ["g2"], "acquired_licenses": 5},
    {"criteria": {"licensed_users_by_gateway": "g1"}},
    {"criteria": {"reject_service_numbers": "fax"}, "acquired_licenses": 1},
    {"criteria": {"dr_numbers": "."}},
    {"acquired_licenses": 2},
    {"factors": {"user_interface": False}},
    {"service_type": "oc_pro"},
]
BAD: list[tuple[bytes, str]] = [
    (b"{", "not_json"),
    (b"\xff\x00", "not_json"),
    (b'{"type":"nothing","tenant":"acme"}', "invalid"),
    (b'{"type":"voice","tenant":"acme","subject":"number:1","observed_at":"2025-01-01T00:00:00Z","facts":null}',
     "invalid"),
    (b'{"type":"directory","tenant":"acme","subject":"user:a","observed_at":"2099-01-01T00:00:00Z","facts":null}',
     "ahead_of_time"),
]  # fmt: skip


@st.composite
def facet_facts(draw: st.DrawFn) -> tuple[str, str, dict[str, Any] | None]:
    """A subject, a facet that fits it, and facts or a clear."""
    subject = draw(st.sampled_from(SUBJECTS))
    facet = draw(st.sampled_from(USER if subject.startswith("user:") else NUMBER))
    return subject, facet, draw(st.sampled_from(FACTS[facet]))


def observation(
    tenant: str, subject: str, facet: str, at_ms: int, source: str, facts: dict[str, Any] | None
) -> dict[str, Any]:
    """A facet event."""
    return {
        "type": facet,
        "tenant": tenant,
        "subject": subject,
        "observed_at": format_ms(at_ms),
        "source": source,
        "facts": facts,
    }


def as_json(event: Any) -> bytes:
    """The value of a record."""
    return json.dumps(event).encode()
