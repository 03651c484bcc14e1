"""Owns the report on the settings: each effective value, where it came from, and variables that no setting has."""

import difflib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr

from runtime.settings import PREFIX, Settings, variable


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting: its variable, its value as text (a secret is hidden) and its origin."""

    name: str
    value: str
    origin: str


def effective(settings: Settings) -> list[Effective]:
    """Return every setting in the order of the tree."""
    dotenv = _dotenv()
    toml = _toml(settings.config_file)
    return [
        Effective(variable(place), _shown(value), _origin(place, dotenv, toml, settings.config_file))
        for place, value in _leaves(settings, ())
    ]


def unknown_names() -> list[str]:
    """Return a sentence for each `POOLWATCH_…` variable that is no setting, with the nearest name there is."""
    known = {variable(place) for place, _ in _leaves(Settings.model_construct(), ())} | {f"{PREFIX}CONFIG"}
    given = {name.upper() for name in (*os.environ, *_dotenv()) if name.upper().startswith(PREFIX)}
    # POOLWATCH_TEST_… belong to the tests.
    return [_hint(name, known) for name in sorted(given - known) if not name.startswith(f"{PREFIX}TEST_")]


def _hint(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name} is set and is not a setting" + (f": is {near[0]} meant?" if near else "; it has no effect")


def _leaves(model: BaseModel, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*place, name))
        else:
            yield (*place, name), value


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(hidden)"
    if isinstance(value, tuple):
        return ", ".join(value) or "(none)"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {meant}" for name, meant in value.items()) or "(none)"
    return "(not set)" if value is None else str(value)


def _origin(place: tuple[str, ...], dotenv: dict[str, Any], toml: dict[str, Any], file: Path) -> str:
    name = variable(place)
    if name in {key.upper() for key in os.environ}:
        return f"variable {name}"
    if name in {key.upper() for key in dotenv}:
        return ".env"
    node: Any = toml
    for part in place:
        node = node.get(part) if isinstance(node, dict) else None
    return str(file) if node is not None else "default"


def _dotenv() -> dict[str, Any]:
    return dict(dotenv_values(".env")) if Path(".env").is_file() else {}


def _toml(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
