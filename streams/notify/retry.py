"""Owns when a message that a channel did not take is tried again, and when it is given up. Pure."""

from random import Random

FIRST_MS = 5_000
LONGEST_MS = 3_600_000
MOST_ATTEMPTS = 32
"""About a day: ten tries within the first hour and a half, then one an hour."""
MOST_REFUSALS = 3
"""A receiver that says that it will never take a message may have been misconfigured for a moment."""


class SendError(Exception):
    """A channel did not take a message. The text is for people, and holds no address, secret or answer."""

    def __init__(self, text: str, *, for_good: bool = False, retry_after_ms: int = 0) -> None:
        """`for_good`: the receiver says that it will not take it later either; `retry_after_ms`: when it wants to be
        asked again."""
        super().__init__(text)
        self.for_good = for_good
        self.retry_after_ms = retry_after_ms


def wait_ms(attempts: int, error: SendError, chance: Random) -> int | None:
    """Return how long to wait after so many tries, None to give up. Waits double, and differ, so that a receiver that
    comes back is not overrun."""
    if attempts >= (MOST_REFUSALS if error.for_good else MOST_ATTEMPTS):
        return None
    doubled: int = min(FIRST_MS << min(attempts - 1, 20), LONGEST_MS)
    return max(round(doubled * chance.uniform(0.8, 1.2)), min(error.retry_after_ms, LONGEST_MS))
