"""What a failure means and how long it waits: the table, and properties of it."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.graph.api.errors import Call, SignInError, SignInUnavailableError, endpoint
from collectors.graph.api.retries import (
    LONGEST_RETRY_AFTER_S,
    MAX_ATTEMPTS,
    PASSING,
    PATIENCE_S,
    Action,
    BrokenAnswerError,
    Failure,
    claims_challenge,
    judge_answer,
    judge_exception,
    may_try_again,
    retry_after_s,
    wait_s,
)

FAILURES = st.builds(
    Failure,
    st.sampled_from(Action),
    st.none() | st.integers(300, 599),
    retry_after_s=st.none() | st.floats(0, 1e9),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
)
ERRORS = st.builds(lambda code, inner: {"error": {"code": code, "innerError": inner}}, JSON, JSON)


def error(code: str, *inner: str, key: str = "innerError", message: str = "") -> dict[str, Any]:
    """A body of Graph, its codes from outside to inside."""
    nested: dict[str, Any] | None = None
    for one in reversed((code, *inner)):
        nested = {"code": one, "message": message} | ({key: nested} if nested else {})
    return {"error": nested}


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (301, Action.GIVE_UP), (400, Action.GIVE_UP), (401, Action.NEW_TOKEN), (403, Action.FORBIDDEN),
        (404, Action.GONE), (408, Action.BACK_OFF), (409, Action.GIVE_UP), (410, Action.RESYNC),
        (424, Action.GIVE_UP), (429, Action.RETRY_AFTER), (500, Action.BACK_OFF), (501, Action.GIVE_UP),
        (502, Action.BACK_OFF), (503, Action.NEW_CONNECTION), (504, Action.BACK_OFF), (509, Action.BACK_OFF),
        (520, Action.BACK_OFF),
    ],
)  # fmt: skip
def test_a_status_decides_where_no_code_does(status: int, action: Action) -> None:
    assert Failure(action, status, "UnknownError") == judge_answer(status, {}, error("UnknownError"))


@pytest.mark.parametrize("code", ["syncStateNotFound", "SyncStateNotFound", "SYNCSTATENOTFOUND", "resyncRequired"])
@pytest.mark.parametrize("key", ["innerError", "innererror"])
@pytest.mark.parametrize("outer", [(), ("BadRequest",), ("BadRequest", "generic")])
def test_a_lost_delta_token_is_seen_in_any_case_and_at_any_depth(code: str, key: str, outer: tuple[str, ...]) -> None:
    assert Failure(Action.RESYNC, 400, code) == judge_answer(400, {}, error(*outer, code, key=key))


def test_the_innermost_code_is_the_most_specific() -> None:
    body = error("resyncRequired", "Directory_ExpiredPageToken")
    assert Failure(Action.RESTART_ROUND, 400, "Directory_ExpiredPageToken") == judge_answer(400, {}, body)


def test_without_a_listed_code_the_outer_one_is_told() -> None:
    assert "TooManyRequests" == judge_answer(429, {}, error("TooManyRequests", "429")).code


def test_what_does_not_look_like_a_code_is_not_told() -> None:
    assert "" == judge_answer(400, {}, error("Ada Moreau <ada@fabrikam.example>")).code


def test_a_refusal_names_the_permissions_and_nothing_else_of_its_message() -> None:
    message = "ada.moreau@fabrikam.example may not: any of TeamsUserConfiguration.Read.All, User-Mail.ReadWrite.All."
    failure = judge_answer(403, {}, error("forbidden", message=message))
    assert ("TeamsUserConfiguration.Read.All", "User-Mail.ReadWrite.All") == failure.permissions


@given(st.integers(300, 599), JSON | ERRORS, st.dictionaries(st.just("retry-after"), st.text(max_size=30)))
def test_any_answer_is_judged(status: int, body: Any, headers: dict[str, str]) -> None:
    failure = judge_answer(status, headers, body)
    assert status == failure.status
    assert failure.retry_after_s is None or failure.retry_after_s >= 0


@pytest.mark.parametrize(
    ("exception", "action"),
    [
        (httpx.ReadTimeout(""), Action.BACK_OFF), (httpx.PoolTimeout(""), Action.BACK_OFF),
        (TimeoutError(), Action.BACK_OFF), (BrokenAnswerError(), Action.BACK_OFF),
        (httpx.DecodingError(""), Action.BACK_OFF), (httpx.ConnectError(""), Action.NEW_CONNECTION),
        (httpx.RemoteProtocolError(""), Action.NEW_CONNECTION), (httpx.ReadError(""), Action.NEW_CONNECTION),
        (httpx.LocalProtocolError(""), Action.GIVE_UP), (httpx.UnsupportedProtocol(""), Action.GIVE_UP),
        (httpx.TooManyRedirects(""), Action.GIVE_UP), (SignInError(Call("acme", "sign-in")), Action.GIVE_UP),
    ],
)  # fmt: skip
def test_an_exception_is_judged_by_its_nearest_ancestor(exception: Exception, action: Action) -> None:
    assert Failure(action, code=type(exception).__name__) == judge_exception(exception)


def test_a_throttled_sign_in_hands_on_how_long_it_wants() -> None:
    away = SignInUnavailableError(Call("acme", "sign-in"), retry_after_s=7.5)
    assert Failure(Action.BACK_OFF, None, "SignInUnavailableError", 7.5) == judge_exception(away)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("999999999", 3600.0),
     ("0", 0.0), ("1.75", 1.75), (" 3 ", 3.0), ("", None), ("soon", None), ("-3", None), ("nan", None),
     ("1e9", None), ("٣", None)],
)  # fmt: skip
def test_retry_after_in_seconds(text: str, seconds: float | None) -> None:
    assert seconds == retry_after_s({"retry-after": text})


@given(st.integers(631_152_000, 4_102_444_800), st.integers(-86_400, 86_400))
def test_retry_after_as_a_date_counts_from_the_date_of_the_answer_not_from_our_clock(at_s: int, ahead: int) -> None:
    sent = datetime.fromtimestamp(at_s, UTC)
    until = format_datetime(sent + timedelta(seconds=ahead), usegmt=True)
    expected = min(max(0, ahead), LONGEST_RETRY_AFTER_S)
    assert expected == retry_after_s({"retry-after": until, "date": format_datetime(sent, usegmt=True)})
    assert retry_after_s({"retry-after": until}) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_is_read_or_passed_over(after: str, date: str) -> None:
    seconds = retry_after_s({"retry-after": after, "date": date})
    assert seconds is None or seconds >= 0


@given(FAILURES, st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_nobody_comes_back_before_asked_nor_more_than_half_a_minute_after(
    failure: Failure, attempt: int, draw: float
) -> None:
    asked_s = failure.retry_after_s or 0.0
    assert asked_s <= wait_s(failure, attempt, draw) <= asked_s + 30.0


def test_without_retry_after_waits_double_up_to_a_cap() -> None:
    failure = Failure(Action.BACK_OFF, 500)
    assert [0.25, 0.5, 1, 2, 4, 8, 15, 15] == [wait_s(failure, attempt, 0.5) for attempt in range(1, 9)]


@given(FAILURES, st.integers(1, 30), st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_request_is_tried_again_only_if_the_failure_passes_and_there_is_time(
    failure: Failure, attempt: int, elapsed_s: float, delay_s: float
) -> None:
    again = may_try_again(failure, attempt, elapsed_s, delay_s)
    in_time = elapsed_s + delay_s <= PATIENCE_S and attempt < MAX_ATTEMPTS
    assert again == (failure.action in PASSING and in_time)


@given(st.lists(st.tuples(FAILURES, st.floats(0, 60), st.floats(0, 1, exclude_max=True)), min_size=MAX_ATTEMPTS))
def test_whatever_happens_a_request_ends_in_time(course: list[tuple[Failure, float, float]]) -> None:
    elapsed_s, tried = 0.0, 0
    for attempt, (failure, took_s, draw) in enumerate(course, 1):
        tried, elapsed_s = attempt, elapsed_s + took_s
        delay_s = wait_s(failure, attempt, draw)
        if not may_try_again(failure, attempt, elapsed_s, delay_s):
            break
        elapsed_s += delay_s
    assert tried <= MAX_ATTEMPTS
    assert elapsed_s <= PATIENCE_S + 60  # the last attempt itself


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20)), st.booleans())
def test_claims_are_read_from_a_challenge(claims: dict[str, str], padded: bool) -> None:
    text = json.dumps(claims)
    encoded = base64.b64encode(text.encode()).decode()
    header = f'Bearer realm="", error="insufficient_claims", claims="{encoded if padded else encoded.rstrip("=")}"'
    assert text == claims_challenge({"www-authenticate": header})


@pytest.mark.parametrize("header", ["", "Bearer", 'Bearer claims=""', 'Bearer claims="A"', 'Bearer claims="_w=="'])
def test_a_401_without_readable_claims_asks_for_nothing(header: str) -> None:
    assert claims_challenge({"www-authenticate": header}) is None


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1.0/users/delta()", "/v1.0/users/delta()"),
        ("/v1.0/users/microsoft.graph.delta", "/v1.0/users/microsoft.graph.delta"),
        ("/v1.0/$batch", "/v1.0/$batch"),
        ("/v1.0/users/ada.moreau@fabrikam.example", "/v1.0/users/{id}"),
        ("/v1.0/groups/aa8c1c36-5b0e-4d2f-8a67-3c0a1d5c2f01/members", "/v1.0/groups/{id}/members"),
        ("/v1.0/numberAssignments/YTVkM2I4ZTItMWM3Zi00ZTYxLTlkMGEtMzNmMGI1YTdjOWQxfCszMzE5OTAwMTAwMQ",
         "/v1.0/numberAssignments/{id}"),
        ("/v1.0/x/+33199001001", "/v1.0/x/{id}"),
    ],
)  # fmt: skip
def test_what_is_told_of_a_path_holds_no_id(path: str, told: str) -> None:
    assert told == endpoint(path)
