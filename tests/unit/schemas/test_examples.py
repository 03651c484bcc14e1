"""Golden examples: the models take each and give it back unchanged; each has wrong twins that are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

import schemas
from licensing.count import figures
from licensing.factors import ALL
from schemas.alert import Alert, Delivery
from schemas.changes import DeadLetter, SeatChange, SnapshotEnd, SyncRecord, Tally
from schemas.commands import CommandModel
from schemas.count import Count
from schemas.events import EventModel
from schemas.export import schema_of
from schemas.intake import read_record, word
from schemas.settings import ProviderSettings, TenantSettings
from schemas.sources import SourceState
from schemas.times import parse_time, to_ms
from schemas.topics import TopicName

EXAMPLES = {path.stem: path for path in (Path(schemas.__path__[0]) / "examples").glob("*.json")}
MODELS: dict[str, TypeAdapter[Any]] = {
    "alert": TypeAdapter(Alert),
    "delivery": TypeAdapter(Delivery),
    "count": TypeAdapter(Count),
    "dead_letter_headers": TypeAdapter(DeadLetter),
    "provider_settings": TypeAdapter(ProviderSettings),
    "seat_change": TypeAdapter(SeatChange),
    "snapshot_end": TypeAdapter(SnapshotEnd),
    "source_state": TypeAdapter(SourceState),
    "sync": TypeAdapter(SyncRecord),
    "tally": TypeAdapter(Tally),
    "tenant_settings": TypeAdapter(TenantSettings),
}
TOPIC_OF: dict[str, TopicName] = {
    "alert": "alerts",
    "delivery": "alerts",
    "count": "license-counts",
    "dead_letter_headers": "dead-letters",
    "event.directory": "user-changes",
    "event.interface": "user-changes",
    "event.facet_confirmed": "user-changes",
    "provider_settings": "tenants",
    "seat_change": "seat-changes",
    "snapshot_end": "tallies",
    "source_state": "sources",
    "sync": "seat-changes",
    "tally": "tallies",
    "tenant_settings": "tenants",
    "user-changes.array": "user-changes",
}
MISSING = object()

# One edit of the example (a key, a value), and words of the refusal.
WRONG: list[tuple[str, str, object, str]] = [
    ("event.directory", "facts", {"account_enabled": "yes"}, "facts.account_enabled: Input should be a valid boolean"),
    ("event.directory", "tenant", "con/toso", "tenant: Value error, a tenant id is 1 to 64"),
    ("event.directory", "source", "", "source: String should have at least 1 character"),
    ("event.interface", "facts", {"changed_at": "yesterday"}, "facts.changed_at: Value error, a time is RFC 3339"),
    ("event.subscription", "facts", {"skus": "SPE_E5"}, "facts.skus: Input should be a valid list"),
    ("event.voice", "subject", "number:+15550100", "the facet voice does not belong on number:+15550100"),
    ("event.phone_number", "observed_at", "2026-11-24T10:00:00", "observed_at: Value error, a time is RFC 3339"),
    ("event.lifecycle", "facts", MISSING, "facts: Field required"),
    ("event.cleared", "subject", "user:5D2F", "subject: Value error, a subject is user:<id> in lower case"),
    ("event.dial_plan", "facts", [], "facts: Input should be a valid dictionary"),
    ("event.service_number", "subject", "user:5d2f", "the facet service_number does not belong on user:5d2f"),
    ("event.sync_completed", "facet", "mood", "facet: Input should be 'directory'"),
    ("event.facet_confirmed", "observed_at", 1_790_000_000, "observed_at: Value error, a time is an RFC 3339 text"),
    ("tenant_settings", "acquired_licenses", -1, "greater than or equal to 0"),
    ("tenant_settings", "service_type", "ump", "Input should be 'ump_365'"),
    ("tenant_settings", "factors", {"direct_routing": False}, "Extra inputs are not permitted"),
    ("tenant_settings", "criteria", {"dr_numbers": "x" * 10_000}, "at most 1000 characters"),
    ("tenant_settings", "colour", "red", "Extra inputs are not permitted"),
    ("provider_settings", "gateways", ["sbc1"], "Extra inputs are not permitted"),
    ("count", "factors", None, "Input should be a valid array"),
    ("count", "hints", ["nice"], "Input should be 'no_gateways'"),
    ("count", "currently_licensed", -1, "greater than or equal to 0"),
    ("seat_change", "id", "9F86", "String should match pattern"),
    ("seat_change", "new_profile", 256, "less than or equal to 255"),
    ("seat_change", "rev", 0, "greater than or equal to 1"),
    ("sync", "started_at", None, "a time is an RFC 3339 text"),
    ("tally", "profiles", {"193": "many"}, "valid integer"),
    ("tally", "cause", {"kind": "weather"}, "Input should be 'users'"),
    ("snapshot_end", "epoch", MISSING, "Field required"),
    ("command.change_settings", "mode", "merge", "Input should be 'put'"),
    ("command.refresh", "type", "refreshed", "does not match any of the expected tags"),
    ("command.notified", "subscription", MISSING, "Field required"),
    ("command.source_hints", "hints", ["sunny"], "Input should be 'source_failing'"),
    ("source_state", "part", "weather", "Input should be 'skus'"),
    ("tenant_settings", "graph", {"cloud": "nine"}, "Input should be 'global'"),
    ("command.sync_run", "status", "lost", "Input should be 'completed'"),
    ("command.confirm_sync", "sync_id", MISSING, "Field required"),
    ("command.answer", "status", "perhaps", "Input should be 'done'"),
    ("alert", "state", "loud", "Input should be 'firing'"),
    ("delivery", "state", "lost", "Input should be 'delivered'"),
    ("command.acknowledge_alert", "rule", "mood", "Input should be 'pool'"),
    ("command.finding", "rule", "pool", "Input should be 'forecast'"),
    ("tenant_settings", "alerts", {"silences": [{"reason": "x"}]}, "Field required"),
    ("provider_settings", "alerts", {"channels": ["Ops!"]}, "String should match pattern"),
    ("dead_letter_headers", "partition", 3, "Input should be a valid string"),
]


def load(name: str) -> Any:
    return json.loads(EXAMPLES[name].read_text(encoding="utf-8"))


def model_of(name: str) -> TypeAdapter[Any]:
    kind = name.partition(".")[0]
    return EventModel if kind == "event" else CommandModel if kind == "command" else MODELS[name]


def schema_topic(name: str) -> TopicName:
    return "commands" if name.startswith("command.") else TOPIC_OF.get(name, "assignments")


def edited(name: str, key: str, value: object) -> Any:
    example = load(name)
    if value is MISSING:
        del example[key]
    else:
        example[key] = value
    return example


SINGLE = sorted(name for name in EXAMPLES if not name.endswith(".array"))
ARRAYS = sorted(name for name in EXAMPLES if name.endswith(".array"))


@pytest.mark.parametrize("name", SINGLE)
def test_a_golden_example_comes_back_unchanged_from_its_model(name: str) -> None:
    model = model_of(name)
    parsed = model.validate_json(EXAMPLES[name].read_bytes())
    assert load(name) == model.dump_python(parsed, mode="json")


@pytest.mark.parametrize("name", SINGLE)
def test_a_golden_example_has_a_wrong_twin_in_this_file(name: str) -> None:
    assert name in {wrong[0] for wrong in WRONG}


@pytest.mark.parametrize(("name", "key", "value", "words"), WRONG)
def test_a_wrong_example_is_refused_with_a_reason(name: str, key: str, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        model_of(name).validate_json(json.dumps(edited(name, key, value)))
    if name.startswith("event."):
        assert words in word(json.dumps(edited(name, key, value)).encode(), "")[1]
    else:
        assert words in str(refusal.value)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_published_json_schema_takes_a_golden_example(name: str) -> None:
    Draft202012Validator(schema_of(schema_topic(name))).validate(load(name))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        # Left out is what JSON Schema does not tell: which texts are times, and which facet fits which subject.
        pytest.param(name, key, value, id=f"{name}-{key}-{number}")
        for number, (name, key, value, words) in enumerate(WRONG)
        if "a time is RFC 3339" not in words and "does not belong" not in words
    ],
)
def test_the_published_json_schema_refuses_a_wrong_example(name: str, key: str, value: object) -> None:
    assert not Draft202012Validator(schema_of(schema_topic(name))).is_valid(edited(name, key, value))


@pytest.mark.parametrize("name", ARRAYS)
def test_the_meter_takes_every_event_of_a_golden_array(name: str) -> None:
    intake = read_record(EXAMPLES[name].read_bytes(), to_ms(parse_time("2026-11-24T10:00:01Z")))
    assert [] == intake.rejections
    assert len(load(name)) == len(intake.events)


def test_the_golden_count_is_what_its_own_profiles_give() -> None:
    count = Count.model_validate(load("count"))
    expected = figures({int(profile): number for profile, number in count.profiles.items()}, ALL, 500)
    assert expected.factors == count.factors
    assert (370, 130, 74.0) == (count.currently_licensed, count.available_licenses, count.usage_percent)
    assert (expected.user_licenses, expected.dr_phone_licenses) == (count.user_licenses, count.dr_phone_licenses)


def test_the_golden_dead_letter_words_the_reason_as_the_meter_does() -> None:
    reason, detail = word(b'{"type":"voice"}', "")
    headers = load("dead_letter_headers")
    assert (reason, detail) == (headers["reason"], headers["detail"])
