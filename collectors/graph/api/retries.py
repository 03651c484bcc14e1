"""Owns what to do about a request that failed, and when: one table, no clock, no I/O.

An error's code decides before its status does, because 400 alone may mean four things. Codes are compared without
regard to case, the most specific (innermost) first.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import httpx

from collectors.graph.api.errors import SignInUnavailableError

PATIENCE_S: Final = 300.0
"""How long one request may take, with all its waiting, before the caller is told. What Graph asks for beyond that is
for a scheduler to wait, not for a request."""

MAX_ATTEMPTS: Final = 20
"""Reached only by a service that fails at once and asks for no delay."""

LONGEST_RETRY_AFTER_S: Final = 3_600.0
"""What is asked for beyond that is taken for a mistake: a tenant must not be left for days."""

_FIRST_BACKOFF_S: Final = 0.5
_LONGEST_BACKOFF_S: Final = 30.0


class BrokenAnswerError(Exception):
    """An answer that is not what it says it is: cut off, no JSON, or JSON of another shape."""


class Action(StrEnum):
    """What to do about a failure. The first four try again, the others are the caller's to know."""

    RETRY_AFTER = "wait as long as the service says, then try again"
    BACK_OFF = "wait, longer each time, then try again"
    NEW_CONNECTION = "wait, then try again on another connection"
    NEW_TOKEN = "sign in again, once"
    RESYNC = "read everything again"
    RESTART_ROUND = "start the round of pages again"
    FORBIDDEN = "say which permission is missing"
    GONE = "take it as deleted"
    GIVE_UP = "tell"


TABLE: Final[Mapping[int | str | type[BaseException], Action]] = MappingProxyType(
    {
        "syncstatenotfound": Action.RESYNC,
        "resyncrequired": Action.RESYNC,
        "directory_expiredpagetoken": Action.RESTART_ROUND,
        401: Action.NEW_TOKEN,
        403: Action.FORBIDDEN,
        404: Action.GONE,
        408: Action.BACK_OFF,
        410: Action.RESYNC,
        429: Action.RETRY_AFTER,
        500: Action.BACK_OFF,
        501: Action.GIVE_UP,
        502: Action.BACK_OFF,
        503: Action.NEW_CONNECTION,
        504: Action.BACK_OFF,
        509: Action.BACK_OFF,
        BrokenAnswerError: Action.BACK_OFF,
        SignInUnavailableError: Action.BACK_OFF,
        TimeoutError: Action.BACK_OFF,
        httpx.DecodingError: Action.BACK_OFF,
        httpx.TimeoutException: Action.BACK_OFF,
        httpx.TransportError: Action.NEW_CONNECTION,
        httpx.LocalProtocolError: Action.GIVE_UP,
        httpx.UnsupportedProtocol: Action.GIVE_UP,
    }
)
"""Statuses, codes (lower case) and exceptions (with their descendants). Of what is not listed, 5xx backs off and all
else gives up."""

PASSING: Final = frozenset({Action.RETRY_AFTER, Action.BACK_OFF, Action.NEW_CONNECTION})


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed. `code` is Graph's, or the name of the exception."""

    action: Action
    status: int | None = None
    code: str = ""
    retry_after_s: float | None = None
    permissions: tuple[str, ...] = ()


def judge_answer(status: int, headers: Mapping[str, str], body: Any) -> Failure:
    """Return what an answer other than 2xx means. `headers` have lower-case names or compare so; `body` is the decoded
    JSON, or None if it was not read or is none."""
    codes = list(_codes(body))
    listed = next((code for code in codes if code.lower() in TABLE), None)
    if listed is not None:
        action = TABLE[listed.lower()]
    else:
        action = TABLE.get(status, Action.BACK_OFF if status >= 500 else Action.GIVE_UP)
    code = listed or (codes[-1] if codes else "")
    permissions = _permissions(body) if action is Action.FORBIDDEN else ()
    return Failure(action, status, code, retry_after_s(headers), permissions)


def judge_exception(error: Exception) -> Failure:
    """Return what it means that a request ended in an exception."""
    action = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), Action.GIVE_UP)
    asked = error.retry_after_s if isinstance(error, SignInUnavailableError) else None
    return Failure(action, code=type(error).__name__, retry_after_s=asked)


def wait_s(failure: Failure, attempt: int, draw: float) -> float:
    """Return how long to wait after the `attempt`th failure (from 1); `draw` is a random number of [0, 1).

    Full jitter spreads those that failed together. It comes on top of what the service asks for: coming earlier
    counts against the quota, and all coming at that second fails again.
    """
    # The exponent is bounded too: a float has an end.
    backoff_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 16))
    return (failure.retry_after_s or 0.0) + draw * backoff_s


def may_try_again(failure: Failure, attempt: int, elapsed_s: float, wait_s: float) -> bool:
    """Tell whether the failure passes, and within what one request may take."""
    return failure.action in PASSING and attempt < MAX_ATTEMPTS and elapsed_s + wait_s <= PATIENCE_S


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, also fractional, or a date, which counts from the answer's own Date, because our
    clock may be wrong. None if there is none to be understood; never more than `LONGEST_RETRY_AFTER_S`."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", text, re.ASCII):
        return min(float(text), LONGEST_RETRY_AFTER_S)
    until, since = _http_date(text), _http_date(headers.get("date", ""))
    if not (until and since):
        return None
    return min(max(0.0, (until - since).total_seconds()), LONGEST_RETRY_AFTER_S)


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


_CLAIMS = re.compile(r'\bclaims="([A-Za-z0-9+/_=-]{1,8192})"')


def claims_challenge(headers: Mapping[str, str]) -> str | None:
    """Return the claims, as JSON, that a 401 asks the next token to have; None if it asks for nothing."""
    found = _CLAIMS.search(headers.get("www-authenticate", ""))
    if not found:
        return None
    encoded = found[1].translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")
_DEEPEST = 8


def _codes(body: Any) -> Iterator[str]:
    """Yield an error's codes, innermost first. What does not look like a code may be anything, a name too."""
    level = body.get("error") if isinstance(body, Mapping) else None
    found: list[str] = []
    while isinstance(level, Mapping) and len(found) < _DEEPEST:
        code = level.get("code")
        found.append(code if isinstance(code, str) and _CODE.fullmatch(code) else "")
        level = next((value for key, value in level.items() if str(key).lower() == "innererror"), None)
    return filter(None, reversed(found))


_PERMISSION = re.compile(r"\b[A-Z][A-Za-z]{1,40}(?:-[A-Z][A-Za-z]{1,40})?\.Read(?:Write|Basic)?\.(?:All|Hidden)\b")


def _permissions(body: Any) -> tuple[str, ...]:
    """Return the permissions that a refusal names. This is for people: nothing is decided by an error's message."""
    error = body.get("error") if isinstance(body, Mapping) else None
    message = error.get("message") if isinstance(error, Mapping) else None
    return tuple(dict.fromkeys(_PERMISSION.findall(message))) if isinstance(message, str) else ()
