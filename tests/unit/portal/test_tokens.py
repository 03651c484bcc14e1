"""Whom a bearer token stands for, for how long, and what a portal that cannot read tokens does."""

import asyncio
import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import HTTPConnection

from portal.access.principals import LOCAL, Principal
from portal.access.tokens import TokenBook, by_token_or, new_token
from portal.ports import Token
from portal.services import TokensUnreadable
from tests.support.memory_tokens import FailingTokens, MemoryTokens

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
ACME = Principal("token:ci", "tenant_viewer", frozenset(("acme",)))


def asks(authorization: str | None) -> HTTPConnection:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return HTTPConnection({"type": "http", "headers": headers})


def bearer(secret: str) -> HTTPConnection:
    return asks(f"Bearer {secret}")


def made(days: int = 30) -> tuple[Token, str]:
    return new_token("ci", "tenant_viewer", frozenset(("acme",)), NOW + timedelta(days=days), NOW, "ana@msp.example")


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_a_secret_has_256_bits_and_only_its_hash_is_in_the_token() -> None:
    token, secret = made()
    assert re.fullmatch(r"pw_[A-Za-z0-9_-]{43}", secret)
    assert hashlib.sha256(secret.encode()).hexdigest() == token.digest
    assert secret not in repr(token)
    assert token.digest not in repr(token)
    assert secret != made()[1]


async def test_a_token_stands_for_its_role_until_it_expires() -> None:
    tokens, clock = MemoryTokens(), Clock()
    book = TokenBook(tokens, clock)
    token, secret = made(days=30)
    await book.add(token)
    assert ACME == await book.recognise_token(bearer(secret))
    clock.now = NOW + timedelta(days=30, milliseconds=-1)
    assert ACME == await book.recognise_token(bearer(secret))
    clock.now = NOW + timedelta(days=30)
    assert await book.recognise_token(bearer(secret)) is None


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer pw_", "Basic {secret}", "{secret}",
                                           "Bearer {secret}x", "Bearer {digest}", "Bearer pw_{digest}"])  # fmt: skip
async def test_anything_else_stands_for_nobody(authorization: str | None) -> None:
    book = TokenBook(MemoryTokens(), Clock())
    token, secret = made()
    await book.add(token)
    given = authorization and authorization.format(secret=secret, digest=token.digest)
    assert await book.recognise_token(asks(given)) is None
    assert ACME == await book.recognise_token(asks(f"bearer  {secret} "))


async def test_tokens_of_one_name_count_apart() -> None:
    book = TokenBook(MemoryTokens(), Clock())
    found = []
    for token, secret in (made(), made()):
        await book.add(token)
        found.append(await book.recognise_token(bearer(secret)))
    assert 2 == len({principal.key for principal in found if principal is not None})


async def test_requests_cost_no_question_each() -> None:
    tokens = MemoryTokens()
    book = TokenBook(tokens, Clock())
    token, secret = made()
    await book.add(token)
    await asyncio.gather(*(book.recognise_token(bearer(given)) for given in (secret, "pw_guessed") * 50))
    assert tokens.reads == 1


async def test_a_revoked_token_is_of_no_use_here_at_once_and_in_other_portals_soon() -> None:
    tokens = MemoryTokens()
    here, there, later = (TokenBook(tokens, Clock(), known_s) for known_s in (60.0, 60.0, 0.0))
    token, secret = made()
    await here.add(token)
    assert [ACME] * 3 == [await book.recognise_token(bearer(secret)) for book in (here, there, later)]
    await here.revoke(token, "ana@msp.example")
    assert [None, ACME, None] == [await book.recognise_token(bearer(secret)) for book in (here, there, later)]


async def test_the_day_of_use_is_told_once() -> None:
    tokens, clock = MemoryTokens(), Clock()
    book = TokenBook(tokens, clock, known_s=0.0)
    token, secret = made()
    await book.add(token)
    for _ in range(2):
        await book.recognise_token(bearer(secret))
    assert [NOW.date()] == [each.last_used_on for each in await book.all()]
    clock.now += timedelta(days=1)
    await book.recognise_token(bearer(secret))
    assert [clock.now.date()] == [each.last_used_on for each in await book.all()]


async def test_while_tokens_cannot_be_read_those_known_are_recognised_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tokens = FailingTokens(away=False)
    book = TokenBook(tokens, Clock(), known_s=0.0)
    token, secret = made()
    await book.add(token)
    assert ACME == await book.recognise_token(bearer(secret))
    tokens.away = True
    assert ACME == await book.recognise_token(bearer(secret))
    monkeypatch.setattr("portal.access.tokens.OLDEST_S", 0.0)
    with pytest.raises(TokensUnreadable, match="ClickHouse"):
        await book.recognise_token(bearer(secret))


async def test_tokens_that_never_could_be_read_let_nobody_in_and_are_asked_for_now_and_then() -> None:
    tokens = FailingTokens()
    book = TokenBook(tokens, Clock())
    for _ in range(3):
        with pytest.raises(TokensUnreadable):
            await book.recognise_token(bearer("pw_any"))
    assert tokens.reads == 1


async def test_a_day_of_use_that_cannot_be_kept_refuses_nobody() -> None:
    tokens = FailingTokens(away=False)
    book = TokenBook(tokens, Clock())
    token, secret = made()
    await book.add(token)
    await book.recognise_token(bearer("pw_any"))
    tokens.away = True
    assert ACME == await book.recognise_token(bearer(secret))


async def test_whoever_sends_a_token_is_judged_by_it_alone() -> None:
    book = TokenBook(MemoryTokens(), Clock())
    token, secret = made()
    await book.add(token)

    async def session(_: HTTPConnection) -> Principal | None:
        return LOCAL

    recognise = by_token_or(book, session)
    assert [ACME, None, None, None, LOCAL] == [
        await recognise(who) for who in (bearer(secret), bearer("pw_x"), bearer("eyJ"), bearer(" "), asks(None))
    ]
