"""Owns the reading of properties out of Microsoft Graph objects, whose shape is not to be trusted."""

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from collectors.files.rows import RowRejectedError
from collectors.files.values import user_subject


class MalformedEntryError(ValueError):
    """An object that cannot be read. The text names a property and a type, never a value: no personal data."""


def removal_of(user: Mapping[str, Any]) -> str | None:
    """Return the reason of `@removed`, empty if it gives none; None = the object is not removed."""
    return None if user.get("@removed") is None else text(part(user, "@removed"), "reason") or ""


def user_of(entry: Mapping[str, Any], name: str) -> str:
    """Return `user:<id>` in lower case."""
    found, written = text(entry, name), entry.get(name)
    # Checked as written: what text() repairs could make two ids one.
    if isinstance(written, str) and not written.isascii():
        raise MalformedEntryError(f"{name} is not an id: it has letters beyond ASCII")
    try:
        # One string for all lists that tell of the user: what is remembered of them is mostly this.
        return intern(user_subject(found, name))
    except RowRejectedError:
        # The original names the value, which may be a person's address.
        raise MalformedEntryError(f"{name} is missing or not an id (128 characters, no spaces, no slashes)") from None


def known(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that are known."""
    return {name: value for name, value in facts.items() if value is not None}


def fields(value: object, name: str) -> Mapping[str, Any]:
    """Return the properties of a JSON object."""
    if not isinstance(value, dict):
        raise _wrong_type(name, value, "an object")
    return value


def part(entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the properties of an object within an object; absent and null have none."""
    return {} if entry.get(name) is None else fields(entry[name], name)


def objects(entry: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """Return the objects of a list; absent and null are an empty one."""
    values = entry.get(name)
    if values is None:
        return []
    if not isinstance(values, list):
        raise _wrong_type(name, values, "a list")
    for value in values:
        if not isinstance(value, dict):
            raise _wrong_type(f"an element of {name}", value, "an object")
    return values


def text(entry: Mapping[str, Any], name: str) -> str | None:
    """Return a text without spaces around it; absent, null and empty are None."""
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _wrong_type(name, value, "a text")
    if not value.isascii():
        # Half of a surrogate pair, left where a name was cut, cannot be encoded: one bad letter must not cost the user.
        value = value.encode(errors="replace").decode()
    return value.strip() or None


def flag(entry: Mapping[str, Any], name: str) -> bool | None:
    """Return a boolean; absent and null are None."""
    value = entry.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong_type(name, value, "true or false")


def _wrong_type(name: str, value: object, wanted: str) -> MalformedEntryError:
    return MalformedEntryError(f"{name} is {wanted} in Microsoft Graph, but was of the type {type(value).__name__}")
