"""Owns when a message that a channel did not take is tried again, and when it is given up. Pure."""

from random import Random

FIRST_MS = 5_000
LONGEST_MS = 3_600_000
MOST_ATTEMPTS = 32
"""About a day: ten tries within the first hour and a half, then one an hour."""
GIVEN_UP_MS = 86_400_000
"""What has waited for longer is given up, if its channel has failed for as long."""
MOST_REFUSALS = 3
"""A receiver that says that it will never take a message may have been misconfigured for a moment."""


class SendError(Exception):
    """A channel did not take a message. The text is for people, and holds no address, secret or answer."""

    def __init__(self, text: str, *, for_good: bool = False, of_content: bool = False, retry_after_ms: int = 0) -> None:
        """`for_good`: the receiver says that it will not take it later either; `of_content`: because of what it holds,
        or how much; `retry_after_ms`: when it wants to be asked again."""
        super().__init__(text)
        self.for_good = for_good
        self.of_content = of_content
        self.retry_after_ms = retry_after_ms

    def of_one_in(self, messages: int) -> "SendError":
        """Return what it says of each of so many that went as one: it may be about one of them, or their size."""
        if messages > 1 and self.of_content:
            return SendError(str(self), retry_after_ms=self.retry_after_ms)
        return self


def as_send_error(error: Exception) -> SendError:
    """Return any failure of a sender as one that may be told: words of a plugin hold addresses."""
    return error if isinstance(error, SendError) else SendError(f"it could not be sent ({type(error).__name__})")


def wait_ms(attempts: int, error: SendError, chance: Random) -> int | None:
    """Return how long a message waits after so many tries, None to give it up."""
    if attempts >= (MOST_REFUSALS if error.for_good else MOST_ATTEMPTS):
        return None
    return pause_ms(attempts, error, chance)


def pause_ms(failures: int, error: SendError, chance: Random) -> int:
    """Return how long to wait after so many failures in a row. Waits double, and differ, so that a receiver that comes
    back is not overrun."""
    doubled: int = min(FIRST_MS << min(failures - 1, 20), LONGEST_MS)
    return max(round(doubled * chance.uniform(0.8, 1.2)), min(error.retry_after_ms, LONGEST_MS))
