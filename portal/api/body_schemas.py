"""Owns the JSON Schema of bodies that endpoints read themselves: settings put and merged, events, tokens."""

from typing import Any

from pydantic import BaseModel

from portal.answers.token_bodies import NewToken
from schemas.events import MAX_ARRAY_EVENTS, EventModel
from schemas.settings import STAMPS, ProviderSettings, TenantSettings

_REF = "#/components/schemas/"


def body_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by name: `…Put` for what replaces settings, `…Patch` for what is merged into them, `Event`,
    `NewToken`."""
    found: dict[str, dict[str, Any]] = {}
    for model in (TenantSettings, ProviderSettings):
        for suffix in ("Put", "Patch"):
            schema, parts = _split(model, suffix)
            _for_bodies(schema)
            named = {**parts, f"{model.__name__}{suffix}": schema}
            found |= {name: _nullable(part) for name, part in named.items()} if suffix == "Patch" else named
    return found | _events() | {"NewToken": NewToken.model_json_schema(ref_template=f"{_REF}{{model}}")}


def one_or_many_events() -> dict[str, Any]:
    """Return the schema of what is sent to the intake."""
    event = {"$ref": f"{_REF}Event"}
    return {"anyOf": [event, {"type": "array", "items": event, "maxItems": MAX_ARRAY_EVENTS}]}


def settings_body(model: type[BaseModel], suffix: str) -> dict[str, Any]:
    """Return the reference to the schema of a body of settings."""
    return {"$ref": f"{_REF}{model.__name__}{suffix}"}


def _split(model: type[BaseModel], suffix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = model.model_json_schema(ref_template=f"{_REF}{{model}}{suffix}")
    return schema, {f"{name}{suffix}": part for name, part in schema.pop("$defs", {}).items()}


def _for_bodies(schema: dict[str, Any]) -> None:
    """Take what a counter stamps for what it is in a body: ignored. The tenant stands in the path already."""
    for name in STAMPS:
        schema["properties"][name] = {"description": "Ignored, so that what GET gives can be sent."}
    schema.pop("required", None)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Let every property be null too, which is its default in a merge (RFC 7396)."""
    return schema | {"properties": {name: _or_null(name, part) for name, part in schema["properties"].items()}}


def _or_null(name: str, part: dict[str, Any]) -> dict[str, Any]:
    # What is absent from a merge stays as it is: the default is not that of a merge.
    kept = {key: value for key, value in part.items() if key != "default"}
    is_open = "type" not in part and "$ref" not in part  # null is among its types, or all are
    return kept if is_open or name == "tenant" else {"anyOf": [kept, {"type": "null"}]}


def _events() -> dict[str, dict[str, Any]]:
    schema = EventModel.json_schema(ref_template=f"{_REF}{{model}}")
    parts: dict[str, dict[str, Any]] = schema.pop("$defs")
    return parts | {"Event": schema}
