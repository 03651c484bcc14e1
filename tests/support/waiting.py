"""Waiting with a deadline: the only place where tests let time pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_S = 0.02
TEMPORARY = (AssertionError, OSError, LookupError)


class NotInTimeError(AssertionError):
    """A condition did not come true before its deadline; the text says what was seen last."""


def eventually(check: Callable[[], T], deadline_s: float = 10.0) -> T:
    """Call `check` until it returns something true, and return that.

    A check that raises AssertionError, OSError or LookupError is asked again; any other exception is the test's fault.
    Raises NotInTimeError after `deadline_s`.
    """
    end = time.monotonic() + deadline_s
    while True:
        error: Exception | None = None
        last: T | None = None
        try:
            if last := check():
                return last
        except TEMPORARY as caught:
            error = caught
        if time.monotonic() >= end:
            raise _failure(check, deadline_s, last, error) from error
        time.sleep(PAUSE_S)


async def eventually_async(check: Callable[[], Awaitable[T]], deadline_s: float = 10.0) -> T:
    """The same for a coroutine function. A check that hangs counts as not true: it is cancelled at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        error: Exception | None = None
        last: T | None = None
        try:
            if last := await asyncio.wait_for(check(), max(end - time.monotonic(), PAUSE_S)):
                return last
        except TEMPORARY as caught:  # TimeoutError is an OSError
            error = caught
        if time.monotonic() >= end:
            raise _failure(check, deadline_s, last, error) from error
        await asyncio.sleep(PAUSE_S)


def _failure(check: Callable[..., object], deadline_s: float, last: object, error: Exception | None) -> NotInTimeError:
    seen = f"it raised {error!r}" if error is not None else f"it returned {last!r}"
    return NotInTimeError(f"not true within {deadline_s:g} s: {_named(check)}; the last time {seen}")


def _named(check: Callable[..., object]) -> str:
    if not inspect.isfunction(check):
        return repr(check)
    code = check.__code__
    return f"{code.co_name} ({code.co_filename}:{code.co_firstlineno})"
