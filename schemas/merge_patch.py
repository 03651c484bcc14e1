"""Owns the JSON merge patch (RFC 7396): how a body changes what is there."""

from typing import Any


def merge(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return the target with the patch applied: null removes, objects merge, the rest replaces."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            known = merged.get(name)
            merged[name] = merge(known if isinstance(known, dict) else {}, value)
        else:
            merged[name] = value
    return merged
