"""What every keeper of API tokens owes, in memory and in ClickHouse."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.access.tokens import new_token
from portal.ports import Token, Tokens
from portal.store.tokens import ClickHouseTokens
from runtime.clickhouse.pool import ClientPool
from schemas.times import from_ms, to_ms
from tests.support.memory_tokens import MemoryTokens

NOW = from_ms(to_ms(datetime.now(UTC)))
TODAY = date(2026, 11, 24)


@pytest.fixture(params=["memory", "clickhouse"])
def tokens(request: pytest.FixtureRequest) -> Iterator[Tokens]:
    if request.param == "memory":
        yield MemoryTokens()
    else:
        yield ClickHouseTokens(request.getfixturevalue("pool"))


def made(name: str, age_s: int = 0, days: int = 30) -> Token:
    at = NOW - timedelta(seconds=age_s)
    expires_at = at + timedelta(days=days)
    return new_token(name, "tenant_admin", frozenset(("acme", "contoso")), expires_at, at, "ana@msp.example")[0]


def test_what_is_kept_is_what_was_added_oldest_first(tokens: Tokens) -> None:
    newer, older = made("newer — ünïcode"), made("older", age_s=60)
    tokens.add(newer)
    tokens.add(older)
    assert [older, newer] == tokens.known()


def test_an_expired_token_is_still_shown(tokens: Tokens) -> None:
    expired = made("expired", age_s=86_400 * 31, days=30)
    tokens.add(expired)
    assert [expired] == tokens.known()


def test_a_revoked_token_stays_revoked_also_if_it_is_added_again(tokens: Tokens) -> None:
    gone, kept = made("gone"), made("kept")
    for token in (gone, kept):
        tokens.add(token)
    tokens.revoke(gone, NOW, "bo@msp.example")
    tokens.add(gone)
    assert [kept] == tokens.known()


def test_the_last_day_of_use_is_kept_whatever_order_portals_tell_it_in(tokens: Tokens) -> None:
    used, unused = made("used", age_s=1), made("unused")
    for token in (used, unused):
        tokens.add(token)
    for day in (TODAY, TODAY - timedelta(days=3)):
        tokens.used(used, day)
    assert [replace(used, last_used_on=TODAY), unused] == tokens.known()


def test_the_secret_is_not_in_the_database(pool: ClientPool) -> None:
    token, secret = new_token("ci", "provider_viewer", frozenset(), NOW + timedelta(days=1), NOW, "ana")
    ClickHouseTokens(pool).add(token)
    with pool.lease() as client:
        ((row,),) = client.query("SELECT toString(tuple(*)) FROM api_tokens").result_rows
    assert token.digest in row
    assert secret not in row
    assert secret.removeprefix("pw_") not in row
