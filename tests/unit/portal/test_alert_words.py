"""How alerts and their limits read on a page."""

import pytest

from licensing.alerts.limits import alert_limits
from portal.answers.alerts import Told
from portal.web.pieces.alert_words import change_words, grade, level_words, limit_words, span_words, told_words, watched
from portal.web.pieces.setting_words import setting_value
from schemas.alert import Delivery
from schemas.settings import AlertSettings, ProviderSettings, TenantSettings
from tests.support.made_alerts import alert, resolved
from tests.support.sinking import instant


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (90, "90 seconds"), (7_200, "2 hours"), (86_400, "1 day")],
)
def test_a_span_reads_in_its_largest_whole_unit(seconds: int, words: str) -> None:
    assert words == span_words(seconds)


def test_an_alert_says_how_grave_it_is_and_against_what() -> None:
    pool = alert("a", 1, level="critical", value=101.5, threshold=100.0)
    assert ("Critical", "over", "Raised: critical") == (level_words(pool), grade(pool), change_words(pool))
    assert "101.5 % of the pool, 100 % is the limit" == limit_words(pool)
    assert "9 days, 14 days is the limit" == limit_words(alert("a", 1, "forecast", value=9.0, threshold=14.0))
    over = resolved("a", 2)
    assert ("Over", "", "Over", "") == (level_words(over), grade(over), change_words(over), limit_words(over))
    assert "Seen by ana" == change_words(alert("a", 3, change="acknowledged", acknowledged_by="ana"))


def test_the_telling_of_a_change_is_told_channel_by_channel() -> None:
    raised = alert("a", 1)
    told = [
        Delivery.model_validate(
            {"id": raised.id, "tenant": "a", "rule": "pool", "channel": channel, "state": state, "attempts": attempts,
             "at": instant(2)}
        )
        for channel, state, attempts in (("hook", "given_up", 8), ("ops", "delivered", 1))
    ]  # fmt: skip
    assert "hook: given up after 8 attempts, ops: told" == told_words(Told(raised, told))
    assert "nobody" == told_words(Told(raised, []))


def test_what_is_watched_names_the_limits_that_hold() -> None:
    own = AlertSettings(warning_available=20, grace_percent=5.0, grace_days=30, forecast_days=0, remind_after_s=0)
    said = watched(alert_limits(TenantSettings(tenant="a", alerts=own), ProviderSettings()))
    assert "Warning: 90 % of the pool are in use (over again below 88 %) or 20 licences or fewer are left." == said[0]
    assert "Beyond the grace: over the pool by more than 5 % or for more than 30 days." in said
    assert "Each is told once it has lasted for 1 minute." == said[-1]
    assert not [sentence for sentence in said if "run out" in sentence]


def test_silences_read_as_settings_do() -> None:
    silences = [
        {"rule": None, "since": None, "until": "2026-12-01T08:00:00.000Z", "reason": "moving"},
        {"rule": "pool", "since": "2026-12-02T08:00:00.000Z", "until": "2026-12-02T09:00:00.000Z", "reason": ""},
    ]
    assert (
        "everything until 2026-12-01T08:00:00.000Z (moving), pool from 2026-12-02T08:00:00.000Z"
        " until 2026-12-02T09:00:00.000Z" == setting_value("alerts.silences", silences)
    )
