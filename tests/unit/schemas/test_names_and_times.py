"""Names of tenants and subjects, their partition, and instants."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.identifiers import is_number, is_tenant, is_user, partition_of, subject_key
from schemas.times import FIRST_MS, LAST_MS, Instant, format_ms, format_time, from_ms, parse_time, to_ms
from schemas.topics import TOPICS, full_name


@pytest.mark.parametrize("text", ["contoso", "0", "a.b_c-d", "a" * 64])
def test_a_tenant_id_is_taken(text: str) -> None:
    assert is_tenant(text)


@pytest.mark.parametrize("text", ["", "A", "a/b", "_provider", ".a", "-a", "a" * 65, "a\n", "é", "a b"])
def test_another_text_is_no_tenant_id(text: str) -> None:
    assert not is_tenant(text)


@pytest.mark.parametrize("text", ["user:5d2f", "user:ana@msp.example", "user:ü", "user:" + "u" * 128])
def test_a_user_is_taken(text: str) -> None:
    assert is_user(text)
    assert not is_number(text)


@pytest.mark.parametrize("text", ["user:", "user:A", "user:Ü", "user:a b", "user:a/b", "user:a\n", "user:" + "u" * 129])
def test_another_text_is_no_user(text: str) -> None:
    assert not is_user(text)


@pytest.mark.parametrize("text", ["number:+15550100", "number:911", "number:*70", "number:1555010[0-9],x"])
def test_a_number_is_taken(text: str) -> None:
    assert is_number(text)
    assert not is_user(text)


@pytest.mark.parametrize("text", ["number:", "number:X", "number:٣", "number:1\n", "number:" + "1" * 65, "number:a"])
def test_another_text_is_no_number(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(("key", "crc"), [(b"123456789", 0xCBF43926), (b"", 0)], ids=["check value", "empty"])
def test_a_partition_is_the_crc32_of_the_key_modulo_their_number(key: bytes, crc: int) -> None:
    assert partition_of(key, 2**32) == crc
    assert partition_of(key, 12) == crc % 12


def test_the_key_of_a_subject_is_tenant_slash_subject_in_utf_8() -> None:
    assert subject_key("contoso", "user:ü") == b"contoso/user:\xc3\xbc"


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00.000Z"),
        ("2026-11-24T10:00:00.1239Z", "2026-11-24T10:00:00.123Z"),
        ("2026-11-24t12:00:00.5+02:00", "2026-11-24T10:00:00.500Z"),
        ("2026-11-24 10:00:00-00:00", "2026-11-24T10:00:00.000Z"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_cut_to_milliseconds_and_written_in_utc(text: str, same: str) -> None:
    assert format_time(parse_time(text)) == same
    assert format_ms(to_ms(parse_time(text))) == same


@pytest.mark.parametrize(
    "text", ["", "2026-11-24", "2026-11-24T10:00:00", "2026-11-24T10:00Z", "24.11.2026", "0001-01-01T00:00:00+01:00"]
)
def test_another_text_is_no_time_and_the_refusal_shows_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 2026-11-24T10:00:00\.123Z"):
        parse_time(text)


def test_an_instant_of_a_model_is_aware_utc_cut_to_milliseconds() -> None:
    instant = TypeAdapter(Instant)
    given = datetime(2026, 11, 24, 12, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=2)))
    parsed = instant.validate_python(given)
    assert parsed == datetime(2026, 11, 24, 10, 0, 0, 123_000, tzinfo=UTC)
    assert parsed.utcoffset() == timedelta(0)
    assert instant.dump_json(parsed) == b'"2026-11-24T10:00:00.123Z"'


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 24),  # noqa: DTZ001  # a naive time is what is tried
        1_790_000_000,
        None,
        datetime.min.replace(tzinfo=timezone(timedelta(hours=10))),
    ],
)
def test_an_instant_of_a_model_is_not_made_from_anything_else(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Instant).validate_python(value)


@pytest.mark.parametrize("ms", [FIRST_MS, -1, 0, 1_764_000_000_123, LAST_MS])
def test_milliseconds_and_instants_are_one_to_one(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms
    assert to_ms(parse_time(format_ms(ms))) == ms


def test_a_topic_is_named_with_the_prefix_and_its_short_name() -> None:
    assert full_name("poolwatch.", "user-changes") == "poolwatch.user-changes"


def test_the_topics_that_are_states_are_compacted_and_the_others_end_after_a_while() -> None:
    compacted = {name for name, topic in TOPICS.items() if topic.config["cleanup.policy"] == "compact"}
    assert compacted == {"tenants", "tallies", "license-counts", "sources", "alert-state", "meter-state-changelog"}
    assert all("retention.ms" in TOPICS[name].config for name in set(TOPICS) - compacted)
