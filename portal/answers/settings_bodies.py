"""Owns what a body of settings must be: checked here for a clear answer at once, carried out by the counter."""

from typing import Any, get_args

import pydantic

from licensing.criteria import compile_criteria
from portal.problems import Problem, message, refusal
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import STAMPS, ProviderSettings, TenantSettings

_FIXED = ("direct_routing", "operator_connect")


def check_put(name: str, body: Any) -> dict[str, Any]:
    """Return the body of a PUT without its stamps. Raises Problem 422 with a sentence a mistake."""
    cleaned = _cleaned(name, body)
    _validated(name, cleaned)
    return cleaned


def check_patch(name: str, body: Any) -> dict[str, Any]:
    """Return the body of a PATCH without its stamps. A null removes, so what is left without them must be sound."""
    cleaned = _cleaned(name, body)
    _validated(name, _without_nulls(cleaned, ProviderSettings if name == PROVIDER_KEY else TenantSettings))
    return cleaned


def _without_nulls(patch: dict[str, Any], model: type[pydantic.BaseModel]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in patch.items():
        field = model.model_fields.get(key)
        nested = _model_of(field.annotation) if field else None
        if isinstance(value, dict) and nested is not None:
            kept[key] = _without_nulls(value, nested)
        elif value is not None or field is None:  # a null under a mistyped name stays, to be told
            kept[key] = value
    return kept


def _model_of(annotation: Any) -> type[pydantic.BaseModel] | None:
    """Return the model of a setting that is an object, also where it may be null; None for any other."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, pydantic.BaseModel):
            return each
    return None


def settings_diff(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what differs between two revisions: `{"setting": "factors.lifecycle", "from": …, "to": …}`."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    return [
        {"setting": name, "from": old.get(name), "to": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _flat(node: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in node.items():
        if not prefix and key in ("tenant", "revision", "updated_at", "updated_by"):
            continue
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def _cleaned(name: str, body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Problem(422, f"settings are a JSON object, not {type(body).__name__}: send what GET gives, changed")
    if body.get("tenant", name) != name:
        raise Problem(
            422, f"tenant: the body names {str(body['tenant'])[:80]!r} and the path {name!r}; send it to its own path"
        )
    return {key: value for key, value in body.items() if key not in (*STAMPS, "tenant")}


def _validated(name: str, body: dict[str, Any]) -> None:
    try:
        if name == PROVIDER_KEY:
            ProviderSettings.model_validate(body)
            return
        settings = TenantSettings.model_validate({**body, "tenant": name})
    except pydantic.ValidationError as error:
        raise refusal(map(_worded, error.errors(include_url=False))) from error
    try:
        compile_criteria(settings)
    except ValueError as error:
        raise Problem(422, f"criteria: {error}") from error


def _worded(item: Any) -> dict[str, str]:
    where = ".".join(str(part) for part in item["loc"])
    said = message(item)
    if item["type"] == "extra_forbidden":
        last = item["loc"][-1]
        said = (
            f"{last} cannot be switched: only lifecycle, user_interface and service_number can"
            if item["loc"][0] == "factors" and last in _FIXED
            else "no such setting; GET shows those there are"
        )
    return {"at": where or "body", "message": said}
