"""Owns Microsoft's own schemas of Graph, where they are present, and the check of an answer against them."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator, FormatChecker

SCHEMAS = Path(__file__).parents[4] / "shared/graph/graph-v1.0-collector-subset.openapi.json"


def microsofts_schemas() -> dict[str, Any]:
    """Read the schemas, made strict; skips the test where they are absent."""
    if not SCHEMAS.exists():
        pytest.skip(f"MICROSOFT'S SCHEMAS ARE NOT HERE ({SCHEMAS.name}): the fake is true only to itself")
    loaded: dict[str, Any] = _strict(json.loads(SCHEMAS.read_text()))
    return loaded


def _strict(node: Any, *, closed: bool = True) -> Any:
    """Turn OpenAPI 3.0 into JSON schema that refuses unknown names, and leave out what the real service breaks."""
    if isinstance(node, list):
        return [_strict(part, closed=closed) for part in node]
    if not isinstance(node, dict):
        return node
    made = {name: _strict(value, closed=name != "allOf") for name, value in node.items() if name != "nullable"}
    if node.get("nullable") and "type" in node:
        made["type"] = [node["type"], "null"]
    if isinstance(node.get("required"), list):
        # Said to be required everywhere, and not sent.
        made["required"] = [name for name in node["required"] if name != "@odata.type"]
    # What a notification carries of its resource is open: the schema names nothing of it.
    if closed and "$ref" in node and not node["$ref"].endswith((".resourceData", "/odata.error")):
        made["unevaluatedProperties"] = False
    return made


def check(schemas: dict[str, Any], body: Any, schema: dict[str, Any]) -> None:
    """Fail where a body does not fit a schema, saying where."""
    validator = Draft202012Validator(
        {"components": schemas["components"], **schema}, format_checker=FormatChecker()
    )  # fmt: skip
    assert [] == [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


def check_answer(schemas: dict[str, Any], answer: httpx.Response) -> None:
    """Fail where an answer does not fit what its path and status promise."""
    path = answer.request.url.path.removeprefix("/v1.0")
    fits = [spelt for spelt in schemas["paths"] if re.fullmatch(_pattern(spelt), path)]
    responses = schemas["paths"][min(fits, key=lambda spelt: "{" in spelt)][answer.request.method.lower()]["responses"]
    status = str(answer.status_code)
    response = responses.get(status) or responses[f"{status[0]}XX"]
    body = answer.json()
    if not isinstance(body.get("value"), list):
        body.pop("@odata.context", None)  # the schemas are of types, and this belongs to the answer
    check(schemas, body, response["content"]["application/json"]["schema"])


def _pattern(path: str) -> str:
    return "[^/]+".join(map(re.escape, re.split(r"\{[^}]+\}", path)))
