"""Owns the counts and settings that tests of alerts are made of."""

from typing import Any

from licensing.alerts.levels import rank
from licensing.count import figures
from licensing.factors import ALL
from schemas.alert import Alert
from schemas.count import Cause, Count
from schemas.identifiers import PROVIDER_KEY
from schemas.settings import AlertSettings, ProviderSettings, TenantSettings
from schemas.times import from_ms, to_ms
from streams.protocol import outbox
from streams.protocol.alert_state import decode_state, encode_state
from streams.protocol.alerts import AlertPartition
from streams.protocol.settings_book import SettingsBook

START_MS = 1_795_600_000_000
_OPERATOR_CONNECT = 2
"""A profile that is counted: a user with an operator's number."""


def count_at(seconds: float, used: int, pool: int | None, **fields: Any) -> Count:
    """Return the count of acme, so many seconds after the start; its version is the time."""
    counted = figures({_OPERATOR_CONNECT: used}, ALL, pool)
    at = START_MS + round(seconds * 1_000)
    made: dict[str, Any] = {
        "tenant": "acme", "epoch": 1, "version": at - START_MS + 1, "settings_revision": 1, "as_of": from_ms(at),
        "computed_at": from_ms(at), "stale": False, "acquired_licenses": counted.acquired_licenses,
        "currently_licensed": counted.currently_licensed, "available_licenses": counted.available_licenses,
        "usage_percent": counted.usage_percent, "user_licenses": 0, "dr_phone_licenses": 0,
        "factors": counted.factors, "cause": Cause(kind="users"), "freshness": {},
    }  # fmt: skip
    return Count.model_validate(made | fields)


class Watched:
    """The alerts of acme, with time in seconds since the start; what is told is kept."""

    def __init__(self, channels: tuple[str, ...] = ("ops",), kept: bytes | None = None, **limits: Any) -> None:
        """`kept`: a state that was written before."""
        self.book = SettingsBook()
        self.alerts = AlertPartition(self.book, lambda *_: channels)
        self.told: list[Alert] = []
        if kept is not None:
            self.alerts.continue_from(decode_state(kept))
        self._revision = 0
        self.set(**limits)

    def set(self, seconds: float = 0, provider: dict[str, Any] | None = None, **limits: Any) -> None:
        """Change the settings of alerts."""
        self._revision += 1
        settings = TenantSettings(tenant="acme", alerts=AlertSettings(**limits), revision=self._revision)
        self.book.apply(b"acme", settings.model_dump_json().encode())
        if provider is not None:
            own = ProviderSettings(alerts=AlertSettings(**provider), revision=self._revision)
            self.book.apply(PROVIDER_KEY.encode(), own.model_dump_json().encode())
        self.alerts.settings_changed("acme", START_MS + round(seconds * 1_000))
        self._take()

    def count(self, seconds: float, used: int, pool: int | None = 100, **fields: Any) -> None:
        """A count comes at the instant of its making."""
        count = count_at(seconds, used, pool, **fields)
        self.alerts.observe(count, to_ms(count.computed_at))
        self._take()

    def recall(self, seconds: float, used: int, pool: int | None = 100) -> None:
        """A count is read again that came before the start."""
        self.alerts.recall(count_at(seconds, used, pool))

    def written(self) -> bytes:
        """Return the state as it is written."""
        state = self.alerts.state("acme")
        assert state is not None
        return encode_state(state)

    def wait(self, until_s: float) -> None:
        """Time passes without a count."""
        self.alerts.advance(START_MS + round(until_s * 1_000))
        self._take()

    def _take(self) -> None:
        state = self.alerts.state("acme")
        if state is not None:
            for entry in outbox.unpublished(state):
                entry.published = True
                self.told.append(Alert.model_validate_json(bytes(entry.alert)))

    def changes(self) -> list[tuple[float, str, str, str | None]]:
        """Return what was told: seconds since the start, rule, change and level."""
        return [((to_ms(told.at) - START_MS) / 1_000, told.rule, told.change, told.level) for told in self.told]

    def level_at(self, seconds: float, rule: str = "pool") -> int:
        """Return the rank of the level that was open at an instant, -1 for none."""
        levels = [
            told.level for told in self.told if told.rule == rule and to_ms(told.at) <= START_MS + seconds * 1_000
        ]
        return rank(levels[-1]) if levels else -1
