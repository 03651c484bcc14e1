"""Changes of alerts, and messages of them."""

from typing import Any

from schemas.alert import Alert
from schemas.times import from_ms
from streams.notify.messages import Message
from tests.support.alerts import START_MS


def alert(number: int = 1, **fields: Any) -> Alert:
    """Return the change of this number, with the id `id1`."""
    made = {
        "id": f"id{number}", "tenant": "acme", "rule": "pool", "change": "raised", "state": "firing",
        "level": "warning", "value": 91.2, "threshold": 90.0, "since": from_ms(START_MS),
        "at": from_ms(START_MS + number), "settings_revision": 1,
        "detail": "456 of 500 licences are in use.", "todo": "Buy licences.",
    }  # fmt: skip
    return Alert.model_validate(made | fields)


def message(channel: str, number: int = 1, **fields: Any) -> Message:
    """Return it as a message to a channel."""
    return Message(alert(number, **fields), "Acme & <Söhne>", channel)
