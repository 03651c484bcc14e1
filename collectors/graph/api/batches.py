"""Owns how many reads become few requests to Microsoft Graph ($batch): what is asked, what each part answered, and
which parts are asked again. No clock, no I/O; what a part's failure means is the retry table's business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collectors.graph.api.retries import Action, BrokenAnswerError, Failure, judge_answer, may_try_again, wait_s

BATCH_PARTS: Final = 20
"""As many requests as Graph takes in one batch."""

PartAnswer = dict[str, Any] | Failure
"""What a request of a batch answered: an object, or how it failed."""

_MISSING: Final = Failure(Action.BACK_OFF, code="NoAnswer")
"""A part of a batch that was not answered."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One GET of a batch: a path under v1.0, and its own headers."""

    path: str
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """What to do before the parts that are open are asked again."""

    sign_in: bool = False
    wait_s: float = 0.0


class Batch:
    """At most `BATCH_PARTS` requests, asked until each is answered or has failed for good."""

    def __init__(self, requests: Sequence[BatchRequest]) -> None:
        self._requests = requests
        self._parts: dict[int, PartAnswer] = {}
        self._attempt = 0
        self._signed_in_anew = False

    def open(self) -> list[int]:
        """Return the numbers of the requests that are still to be asked."""
        return [number for number in range(len(self._requests)) if number not in self._parts]

    def body(self) -> dict[str, Any]:
        """Return the request for all that is open."""
        return {"requests": [_asked(number, self._requests[number]) for number in self.open()]}

    def take(self, answered: Mapping[str, PartAnswer], elapsed_s: float, draw: float) -> Again:
        """Keep what is answered or has failed for good. `elapsed_s`: since it was first asked; `draw`: at random in
        [0, 1)."""
        self._attempt += 1
        refused, longest_s = False, 0.0
        for number in self.open():
            part = answered.get(str(number), _MISSING)
            if not isinstance(part, Failure):
                self._parts[number] = part
                continue
            delay_s = wait_s(part, self._attempt, draw)
            if part.action is Action.NEW_TOKEN and not self._signed_in_anew:
                refused = True
            elif may_try_again(part, self._attempt, elapsed_s, delay_s):
                longest_s = max(longest_s, delay_s)
            else:
                self._parts[number] = part
        self._signed_in_anew |= refused
        return Again(refused, longest_s)

    def parts(self) -> list[tuple[BatchRequest, PartAnswer]]:
        """Return what each request came to once none is open, in their order."""
        return [(request, self._parts[number]) for number, request in enumerate(self._requests)]


def read_parts(body: Any) -> dict[str, PartAnswer]:
    """Return the parts of an answer by their ids. Raises BrokenAnswerError."""
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(responses, list) or not all(isinstance(response, dict) for response in responses):
        raise BrokenAnswerError("not a batch")
    return {str(response.get("id")): _read_part(response) for response in responses}


def _asked(number: int, request: BatchRequest) -> dict[str, Any]:
    asked = {"id": str(number), "method": "GET", "url": request.path}
    return {**asked, "headers": dict(request.headers)} if request.headers else asked


def _read_part(response: dict[str, Any]) -> PartAnswer:
    status, body = response.get("status"), response.get("body")
    headers = {str(name).lower(): str(value) for name, value in (response.get("headers") or {}).items()}
    if not isinstance(status, int):
        return _MISSING
    if not 200 <= status < 300:
        return judge_answer(status, headers, body)
    return body if isinstance(body, dict) else _MISSING
