"""Owns the question for what of the counted subjects tells of waste."""

from datetime import datetime

from licensing.factors import ALL
from licensing.reclaim import Signals
from portal.store.clients import Clients, ask, ms
from portal.store.facts import known_sql
from portal.store.seats import KNOWN_NOW
from schemas.times import from_ms, parse_time

_TELLING = known_sql(
    f"subject, facet, facts, {ms('observed_at')} AS observed_ms",
    only=" AND facet IN ('directory', 'interface', 'subscription', 'dial_plan') AND facts != ''",
)
# Left as JSON where true, false and unknown are three things.
_SIGNALS = f"""SELECT subject, profile, in_directory, account_enabled, teams_phone, changed_at, observed_ms, tag
FROM ({KNOWN_NOW}) AS counted
LEFT JOIN (
    SELECT subject, countIf(facet = 'directory') AS in_directory,
        anyIf(JSONExtractRaw(facts, 'account_enabled'), facet = 'directory') AS account_enabled,
        anyIf(JSONExtractRaw(facts, 'teams_phone'), facet = 'subscription') AS teams_phone,
        anyIf(JSONExtractString(facts, 'changed_at'), facet = 'interface') AS changed_at,
        anyIf(observed_ms, facet = 'interface') AS observed_ms,
        anyIf(JSONExtractString(facts, 'tag'), facet = 'dial_plan') AS tag
    FROM ({_TELLING}) GROUP BY subject
) AS told USING (subject)
WHERE bitAnd(toUInt32(profile), {{enabled:UInt32}}) != 0 ORDER BY subject"""
_WORDS = {"true": True, "false": False}


def signals(clients: Clients, tenant: str, enabled: int) -> list[Signals]:
    """Return what is known of the counted subjects, by subject (see `portal.ports.Store`)."""
    rows = ask(clients, _SIGNALS, {"tenant": tenant, "enabled": enabled & ALL})
    return [
        Signals(
            subject, int(profile), bool(in_directory), _WORDS.get(account_enabled), _WORDS.get(teams_phone),
            _changed_at(changed_at, int(observed_ms)), tag,
        )
        for subject, profile, in_directory, account_enabled, teams_phone, changed_at, observed_ms, tag in rows
    ]  # fmt: skip


def _changed_at(text: str, observed_ms: int) -> datetime | None:
    return parse_time(text) if text else from_ms(observed_ms) if observed_ms else None
