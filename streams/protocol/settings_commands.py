"""Owns what becomes of a command that changes settings: the next revision or a refusal, decided by the counter alone
(DESIGN §4)."""

from typing import Any

import pydantic

from licensing.criteria import PatternError, compile_criteria
from schemas.commands import Answer, ChangeSettings
from schemas.identifiers import PROVIDER_KEY
from schemas.merge_patch import merge
from schemas.settings import STAMPS, ProviderSettings, Settings, TenantSettings, unknown_keys
from schemas.times import format_ms, to_ms


def decide(current: Settings | None, command: ChangeSettings, now_ms: int) -> tuple[Settings | None, Answer]:
    """Return the settings to write (None = nothing) and the answer. `now_ms` stamps the revision."""
    revision = current.revision if current is not None else 0
    if command.if_match is not None and command.if_match != revision:
        return None, _refuse(
            command, "conflict", f"the settings are at revision {revision}, not {command.if_match}", revision
        )
    if command.mode == "patch" and current is not None and (unknown := unknown_keys(current)):
        # What they mean together with the change nobody here knows.
        said = (
            f"the settings of {command.tenant} have {', '.join(unknown[:5])}, which this version does not know: a newer"
            " one wrote them. Bring the counters up to it, and send the change again"
        )
        return None, _refuse(command, "invalid", said, revision)
    body = {name: value for name, value in _next_body(current, command).items() if name not in STAMPS}
    if body.get("tenant", command.tenant) != command.tenant:
        return None, _refuse(
            command, "invalid", f"the body names {body['tenant']!r}, the command {command.tenant!r}", revision
        )
    stamp_ms = max(now_ms, to_ms(current.updated_at) + 1 if current is not None and current.updated_at else 0)
    removed_at = current.removed_at if current is not None else None
    stamps: dict[str, Any] = {
        "tenant": command.tenant,
        "revision": revision + 1,
        "updated_at": format_ms(stamp_ms),
        "updated_by": command.by,
        "removed_at": format_ms(stamp_ms) if command.mode in ("remove", "purge") else removed_at,
    }
    try:
        settings = parse_settings(command.tenant, body | stamps)
    except ValueError as error:
        return None, _refuse(command, "invalid", str(error), revision)
    answer = Answer(
        id=command.id,
        tenant=command.tenant,
        status="done",
        revision=settings.revision,
        settings=settings.model_dump(mode="json"),
    )
    return settings, answer


def parse_settings(tenant: str, body: dict[str, Any]) -> Settings:
    """Return the settings of a body. Raises ValueError with a sentence for what cannot be used, patterns included."""
    model: type[Settings] = ProviderSettings if tenant == PROVIDER_KEY else TenantSettings
    try:
        settings: Settings = model.model_validate(body)
        if isinstance(settings, TenantSettings):
            compile_criteria(settings)
    except pydantic.ValidationError as error:
        raise ValueError("; ".join(_sentence(item) for item in error.errors(include_url=False)[:5])) from error
    except PatternError as error:
        raise ValueError(str(error)) from error
    return settings


def _next_body(current: Settings | None, command: ChangeSettings) -> dict[str, Any]:
    if command.mode == "put":
        return command.body
    known = current.model_dump(mode="json") if current is not None else {}
    return merge(known, command.body) if command.mode == "patch" else known


def _refuse(command: ChangeSettings, status: Any, detail: str, revision: int) -> Answer:
    return Answer(id=command.id, tenant=command.tenant, status=status, detail=detail, revision=revision)


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    given = error.get("input")
    shown = f" (given: {str(given)[:60]!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{place}: {error['msg']}{shown}"
