"""Changes of alerts as the topic carries them, made by hand."""

from typing import Any

from schemas.alert import Alert
from tests.support.sinking import instant


def alert(tenant: str, number: int, rule: str = "pool", **changed: Any) -> Alert:
    """Return an alert that was raised so many seconds after the start."""
    values: dict[str, Any] = {
        "id": f"{tenant}-{rule}-{number}", "tenant": tenant, "rule": rule, "change": "raised", "state": "firing",
        "level": "warning", "value": None, "threshold": None, "since": instant(number), "at": instant(number),
        "settings_revision": 1, "detail": "It is so.", "todo": "Do something.",
    }  # fmt: skip
    return Alert.model_validate(values | changed)


def resolved(tenant: str, number: int, rule: str = "pool") -> Alert:
    """Return the end of an alert."""
    return alert(tenant, number, rule, change="resolved", state="resolved", level=None)
