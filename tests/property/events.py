"""Owns the generation of events, good and odd, for property tests."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from schemas.events import FACTS, USER_FACETS
from schemas.times import Instant

TENANTS = st.sampled_from(["contoso", "0", "a.b_c-d", "t" * 64])
USERS = st.sampled_from(["user:5d2f", "user:ümlaut", "user:" + "u" * 128, "user:a@b.example"])
NUMBERS = st.sampled_from(["number:+15550100", "number:911", "number:+1555010[0-9],x", "number:" + "1" * 64])
SOURCES = st.sampled_from(["graph", "users-file", "é" * 64, "日"])
TEXTS = st.sampled_from(["", "a", "é", "日本", "😀", '"\\/', "\x00\x1f", "\u2028", " "]) | st.text(max_size=8)
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # made aware

ODD_TIMES = [
    "2026-01-01T00:00:00", "2026-01-01", "", "now", "2026-01-01T00:00Z", "2026-01-01T00:00:00+00",
    "2026-01-01T00:00:00+0000", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00-23:59",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-10:00", "9999-12-31T23:59:59Z", "2026-01-01T23:59:59.9999999Z", "2026-1-1T0:0:0Z",
    "2026-01-01T00:00:00.1239999Z", "+2026-01-01T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00z ",
]  # fmt: skip
ODD_SUBJECTS = [
    "user:", "user:A", "user:É", "user:a b", "user:a/b", "user:" + "u" * 129, "user:a\n", "user:\x00", "group:1",
    "5d2f", "number:", "number:abc", "number:" + "1" * 65, "number:+1\n", "number:٣", "user:ı", "user:ǅ",
]  # fmt: skip
ODD_TENANTS = ["", "A", "a/b", "_provider", "-a", "a" * 65, "a\n", "é", "a b", "../a"]
ODD_VALUES = [
    None, True, False, 0, 1, -1, 2**63, 2**64, -(2**70), 1.5, 1e300, "", "x", "x" * 65, "é" * 65, [], {}, [None], [1],
    ["a"], {"a": 1}, [["a"]], "\x00", "\ud800", "a\udfff", "true",
]  # fmt: skip
NOT_FINITE = [float("nan"), float("inf"), float("-inf")]
ODD = st.sampled_from([*ODD_VALUES, *ODD_TIMES, *ODD_SUBJECTS, *ODD_TENANTS])


@st.composite
def times(draw: st.DrawFn) -> str:
    """RFC 3339 in its many forms, always with an offset."""
    zone = timezone(timedelta(minutes=draw(st.sampled_from([0, 60, -330, 14 * 60, -(23 * 60 + 59)]))))
    digits = draw(st.integers(0, 10))
    text = draw(INSTANTS).astimezone(zone).isoformat(draw(st.sampled_from("Tt ")), "seconds")
    body, offset = text[:19], text[19:]
    fraction = "." + draw(st.text("0123456789", min_size=digits, max_size=digits))
    if offset == "+00:00":
        offset = draw(st.sampled_from(["Z", "z", "+00:00", "-00:00"]))
    return body + (fraction if digits else "") + offset


def facts_of(facet: str) -> st.SearchStrategy[dict[str, Any]]:
    """Right facts of a facet: any of them may be absent or null."""
    by_type: dict[Any, st.SearchStrategy[Any]] = {
        str | None: TEXTS,
        bool | None: st.booleans(),
        list[str] | None: st.lists(TEXTS, max_size=3),
        Instant | None: times(),
    }
    fields = FACTS[facet].model_fields.items()
    return st.fixed_dictionaries({}, optional={name: st.none() | by_type[field.annotation] for name, field in fields})


@st.composite
def observations(draw: st.DrawFn) -> dict[str, Any]:
    """A right facet event."""
    facet = draw(st.sampled_from(sorted(FACTS)))
    event: dict[str, Any] = {
        "type": facet,
        "tenant": draw(TENANTS),
        "subject": draw(USERS if facet in USER_FACETS else NUMBERS),
        "observed_at": draw(times()),
        "facts": draw(st.none() | facts_of(facet)),
    }
    if draw(st.booleans()):
        event["source"] = draw(SOURCES)
    return event


@st.composite
def notices(draw: st.DrawFn) -> dict[str, Any]:
    """A right `sync_completed` or `facet_confirmed`."""
    kind, at = draw(st.sampled_from([("sync_completed", "started_at"), ("facet_confirmed", "observed_at")]))
    event = {"type": kind, "tenant": draw(TENANTS), "facet": draw(st.sampled_from(sorted(FACTS))), at: draw(times())}
    return event | ({"source": draw(SOURCES)} if draw(st.booleans()) else {})


EVENTS = observations() | notices()


@st.composite
def odd_events(draw: st.DrawFn, values: st.SearchStrategy[Any] = ODD) -> dict[str, Any]:
    """A right event with up to three things changed; some changes do no harm."""
    event = draw(EVENTS)
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(
            st.sampled_from(["drop", "set", "key", "fact", "unknown fact", "type", "subject", "tenant", "time"])
        )
        facts = event.get("facts")
        if kind == "drop" and event:
            del event[draw(st.sampled_from(sorted(event)))]
        elif kind == "set" and event:
            event[draw(st.sampled_from(sorted(event)))] = draw(values)
        elif kind == "key":
            event[draw(TEXTS)] = draw(values)
        elif kind == "fact" and isinstance(facts, dict) and facts:
            event["facts"] = facts | {draw(st.sampled_from(sorted(facts))): draw(values)}
        elif kind == "unknown fact" and isinstance(facts, dict):
            event["facts"] = facts | {draw(TEXTS): draw(values)}
        elif kind == "type":
            event["type"] = draw(st.sampled_from([*FACTS, "sync_completed", "facet_confirmed", "Voice", ""]))
        elif kind == "subject":
            event["subject"] = draw(st.sampled_from(ODD_SUBJECTS) | USERS | NUMBERS)
        elif kind == "tenant":
            event["tenant"] = draw(st.sampled_from(ODD_TENANTS))
        elif kind == "time":
            event[draw(st.sampled_from(["observed_at", "started_at"]))] = draw(st.sampled_from(ODD_TIMES))
    return event


def as_json(event: Any, *, ascii_only: bool = True) -> bytes:
    """The bytes of an event; what is not in JSON (NaN, half of a surrogate pair) is written all the same."""
    return json.dumps(event, ensure_ascii=ascii_only).encode(errors="surrogatepass")
