"""Owns the API's document of itself (`/api/openapi.json`): what FastAPI finds out, and what it cannot know: refusals,
bodies that endpoints read themselves, examples, and how one signs in."""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from portal.access.rules import rule_of
from portal.api.body_schemas import body_schemas
from portal.api.errors import common_errors
from portal.api.models.problem import Problem

DESCRIPTION = """\
Who of a Microsoft Teams telephony tenant takes a licence, now, then, and why.

Times are RFC 3339 in UTC with milliseconds. Lists that can grow are pages: `next_cursor` of one is `cursor` of the
next. A refusal is a problem document (RFC 9457) whose `detail` says what happened, to what, and what to do next. The
examples are of one tenant, `contoso`: it has bought 500 licences, and takes 370.

A portal that listens on this machine alone asks nobody to sign in.
"""
TAGS = [
    {"name": "counts", "description": "Licence counts now, of one tenant or of all, and as they change."},
    {"name": "history", "description": "Figures over time."},
    {"name": "reports", "description": "What tenants used in a month, and what was in force at noon."},
    {"name": "seats", "description": "Single subjects: who is counted and why, what moved, and a recount of them all."},
    {
        "name": "settings",
        "description": "Settings of tenants and provider, who changed them, and what others would do.",
    },
    {"name": "events", "description": "Events of collectors and scripts."},
    {"name": "syncs", "description": "Full syncs of sources, and those that are held."},
    {"name": "sources", "description": "How the sources are doing, and the wish that they be read now."},
    {"name": "alerts", "description": "What a person should know of: open, seen, muted, and over."},
    {"name": "vendor", "description": "The shapes of the product that this one replaces, so that its scripts work."},
    {"name": "access", "description": "API tokens: what programs sign in with."},
    {"name": "operations", "description": "Health and figures for operators."},
]
SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
    "session": {
        "type": "apiKey", "in": "cookie", "name": "__Host-poolwatch-session",
        "description": "Whoever has signed in with a browser.",
    },
}  # fmt: skip

_EXAMPLES = Path(__file__).with_name("examples")
_REPLACED = ("HTTPValidationError", "ValidationError")


class DocumentedApi(FastAPI):
    """An application whose document is complete."""

    def openapi(self) -> dict[str, Any]:
        """Return the document; it is made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add to a document what FastAPI cannot know."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _REPLACED:
        schemas.pop(name, None)
    _, problem = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
    components["schemas"] = dict(sorted((schemas | problem["$defs"] | body_schemas()).items()))
    components["securitySchemes"] = SECURITY | components.get("securitySchemes", {})
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(method.upper(), path, operation)
    return document


def _complete(method: str, path: str, operation: dict[str, Any]) -> None:
    own = {status: answer for status, answer in operation["responses"].items() if not _is_fastapis(answer)}
    is_open = rule_of(method, path) == "anybody"
    common = {} if is_open else {str(status): answer for status, answer in common_errors(operation).items()}
    operation["responses"] = dict(sorted((common | own).items()))
    operation["security"] = [] if is_open else [{name: []} for name in SECURITY]
    _add_examples(operation)


def _is_fastapis(answer: dict[str, Any]) -> bool:
    return "HTTPValidationError" in str(answer.get("content", {}).get("application/json", {}).get("schema", {}))


def _add_examples(operation: dict[str, Any]) -> None:
    file = _EXAMPLES / f"{operation['operationId']}.json"
    if not file.is_file():
        return
    told = json.loads(file.read_text("utf-8"))
    if "request" in told:
        operation["requestBody"]["content"]["application/json"]["example"] = told["request"]
    answer = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    for media_type, example in told["answer"].items():
        answer["content"].setdefault(media_type, {})["example"] = example
