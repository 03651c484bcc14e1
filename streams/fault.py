"""Owns the named fault points: tests make the process die or freeze at a step of the delivery contract
(docs/testing.md)."""

import os
import signal

VARIABLE = "POOLWATCH_FAULT_AT"
"""`<step>:<before|after>:<kill|stop>[:<n>]`: at the n-th time (1) that the step is reached."""


class FaultPoint:
    """Where this process is to die, from the environment; nowhere, unless a test said so."""

    def __init__(self, text: str | None = None) -> None:
        text = os.environ.get(VARIABLE, "") if text is None else text
        parts = text.split(":")
        self._step, self._place, self._action = [*parts, "", "", ""][:3]
        self._left = int(parts[3]) if len(parts) > 3 else 1

    def reach(self, step: str, place: str) -> None:
        """Die or freeze, if this is the place."""
        if step == self._step and place == self._place:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGSTOP if self._action == "stop" else signal.SIGKILL)


OF_THIS_PROCESS = FaultPoint()
"""Counted over all partitions: a process that was woken after it froze goes on."""
