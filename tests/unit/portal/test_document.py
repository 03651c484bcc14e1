"""The API's document of itself: complete, readable, with names that stay."""

import re
from typing import Any

import jsonschema
import pytest

from tests.support.api_document import ApiDocument, own_document

OPERATIONS = {
    "get_daily_report", "get_monthly_report", "list_monthly_reports",
    "acknowledge_alert", "add_silence", "audit_tenant", "change_provider_settings", "change_settings",
    "confirm_sync", "end_silence", "explain_seat", "forget_subject", "get_health", "get_history", "get_licenses",
    "get_metrics",
    "get_provider_settings", "get_readiness", "get_refresh", "get_settings", "list_alerts", "list_changes",
    "list_reclaimable", "list_seats", "list_settings_changes", "list_sources", "list_syncs", "list_tenant_alerts",
    "list_tenants", "list_tokens", "make_token", "read_table", "refresh_sources", "remove_tenant",
    "replace_provider_settings",
    "replace_settings", "revoke_token", "send_events", "stream_counts", "try_settings", "vendor_license_info",
    "vendor_licensed_users",
}  # fmt: skip
"""Names of functions in clients that others have made from the document: one that is there stays."""

OPEN = ("/healthz", "/readyz")


@pytest.fixture(scope="module")
def document() -> ApiDocument:
    return own_document()


def test_the_names_of_operations_stay_and_read_like_words(document: ApiDocument) -> None:
    names = document.operations.keys()
    assert [] == [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)]
    assert names >= OPERATIONS


def test_every_operation_says_what_it_does_and_under_which_heading(document: ApiDocument) -> None:
    headings = {tag["name"] for tag in document.document["tags"] if tag["description"]}
    for name, operation in document.operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= headings, name


def content_of(status: str, answer: dict[str, Any]) -> list[tuple[str, Any]]:
    assert ("content" in answer) == (status != "304"), "an answer has content, but for the one that says it is known"
    return list(answer.get("content", {}).items())


def test_every_answer_has_a_model(document: ApiDocument) -> None:
    for name, operation in document.operations.items():
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            for media_type, content in content_of(status, answer):
                schema = content["schema"]
                is_model = "$ref" in schema or "$ref" in schema.get("items", {})
                assert is_model or (not media_type.endswith("json") and schema == {"type": "string"}), (name, status)


def test_every_operation_has_an_example_that_its_own_model_takes(document: ApiDocument) -> None:
    for name, operation in document.operations.items():
        for status, answer in operation["responses"].items():
            for media_type, content in content_of(status, answer):
                if status.startswith("2") or media_type == "application/problem+json":
                    assert "example" in content, f"{name}: portal/api/examples/{name}.json has no {media_type}"
                    document.check_answer(name, int(status), media_type, content["example"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            document.check_request(name, content["example"])


def test_the_examples_are_of_the_vendors_worked_example(document: ApiDocument) -> None:
    answer = document.operations["get_licenses"]["responses"]["200"]["content"]["application/json"]["example"]
    assert (500, 370, 130) == tuple(
        answer[key] for key in ("acquired_licenses", "currently_licensed", "available_licenses")
    )


def test_every_refusal_that_follows_from_what_is_sent_is_named(document: ApiDocument) -> None:
    for name, (_, path) in document.places.items():
        operation = document.operations[name]
        named = operation["responses"].keys()
        if path not in OPEN:
            assert {"401", "403", "429", "503"} <= named, name
        if "{" in path:
            assert {"404", "422"} <= named, name
        if "requestBody" in operation:
            assert {"400", "413", "422"} <= named, name
        if "if-match" in {parameter["name"].lower() for parameter in operation.get("parameters", ())}:
            assert "412" in named, name


def test_how_to_sign_in_is_told_for_the_api_and_health_is_open(document: ApiDocument) -> None:
    schemes = document.document["components"]["securitySchemes"]
    assert ("http", "bearer") == (schemes["token"]["type"], schemes["token"]["scheme"])
    assert ("apiKey", "cookie") == (schemes["session"]["type"], schemes["session"]["in"])
    for name, (_, path) in document.places.items():
        expected: list[Any] = [] if path in OPEN else [{"token": []}, {"session": []}]
        assert expected == document.operations[name]["security"], name


@pytest.mark.parametrize(
    ("operation", "body", "is_taken"),
    [
        ("change_settings", {"factors": None, "acquired_licenses": None}, True),
        ("change_settings", {"factors": {"lifecycle": None}, "graph": {"cloud": None}}, True),
        ("change_settings", {"revision": "anything", "removed_at": 1}, True),
        ("change_settings", {"factors": {"direct_routing": True}}, False),
        ("change_settings", {"nonsense": 1}, False),
        ("replace_settings", {"acquired_licenses": 5, "service_type": "hosted_pro"}, True),
        ("replace_settings", {"factors": None}, False),
        ("replace_provider_settings", {"acquired_licenses": 5}, False),
        ("send_events", {"type": "colour"}, False),
        ("send_events", [], True),
    ],
)
def test_bodies_are_described_as_they_are_taken(
    document: ApiDocument, operation: str, body: Any, is_taken: bool
) -> None:
    if is_taken:
        document.check_request(operation, body)
    else:
        with pytest.raises(jsonschema.ValidationError):
            document.check_request(operation, body)
