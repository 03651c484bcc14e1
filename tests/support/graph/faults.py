"""Owns what goes wrong, as a test says: planned answers by path and tenant, expired links, changes between pages."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.support.graph.answers import Answer, failure

Damage = Literal["broken_json", "cut"]


@dataclass(slots=True)
class Fault:
    """What is wrong with the next `times` requests of a path (its beginning, with the version) and a tenant.

    `answer` comes instead of the true one, `delay_s` before it, and `damage` ends it in its middle.
    """

    times: int
    path: str = "/v1.0"
    tenant: str | None = None
    answer: Answer | None = None
    delay_s: float = 0.0
    damage: Damage | None = None


class Faults:
    """All that is wrong at the moment; a fault that came first is used up first. Safe in every thread."""

    def __init__(self) -> None:
        self.clock_skew_s = 0.0
        """By how much the header Date is ahead."""
        self.drop_notifications = False
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._between_pages: list[tuple[str, Callable[[], None]]] = []
        self._generations: Counter[tuple[str, str]] = Counter()
        self._gone: dict[str, bool] = {}
        self._repeating: set[str] = set()
        self._empty: Counter[str] = Counter()

    def plan(self, fault: Fault) -> None:
        """Let a fault happen."""
        with self._lock:
            self._planned.append(fault)

    def throttle(
        self, times: int, retry_after: str | None = "1", *, path: str = "/v1.0", tenant: str | None = None
    ) -> None:
        """Answer 429; `retry_after` is the header as it is sent, None for none."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        inner = {"code": "429", "message": "Please retry after", "status": "429"}
        answer = failure(429, "TooManyRequests", "Please retry again later.", headers=headers, inner=inner)
        self.plan(Fault(times, path, tenant, answer))

    def fail(
        self,
        times: int,
        status: int,
        retry_after: str | None = None,
        *,
        path: str = "/v1.0",
        tenant: str | None = None,
    ) -> None:
        """Answer with an error of the server."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        code = {500: "InternalServerError", 503: "ServiceUnavailable"}.get(status, "UnknownError")
        self.plan(Fault(times, path, tenant, failure(status, code, "The service failed.", headers=headers)))

    def slow(self, times: int, delay_s: float, *, path: str = "/v1.0", tenant: str | None = None) -> None:
        """Answer late."""
        self.plan(Fault(times, path, tenant, delay_s=delay_s))

    def damage(self, times: int, damage: Damage, *, path: str = "/v1.0", tenant: str | None = None) -> None:
        """End the body in its middle: as a whole answer (`broken_json`), or with the connection (`cut`)."""
        self.plan(Fault(times, path, tenant, damage=damage))

    def expire_delta_tokens(self, tenant: str, *, gone: bool = False) -> None:
        """Let every delta link given so far be too old: 400 syncStateNotFound, or 410 with a Location."""
        with self._lock:
            self._generations["delta", tenant] += 1
            self._gone[tenant] = gone

    def expire_page_tokens(self, tenant: str) -> None:
        """Let every link to a next page given so far be too old."""
        with self._lock:
            self._generations["page", tenant] += 1

    def between_pages(self, change: Callable[[], None], *, path: str = "/v1.0") -> None:
        """Call `change` once, as soon as a page that has a next one is made and before that one is asked for."""
        with self._lock:
            self._between_pages.append((path, change))

    def repeat_across_pages(self, tenant: str) -> None:
        """Let each page begin with the last entry of the one before."""
        self._repeating.add(tenant)

    def empty_pages(self, times: int, tenant: str) -> None:
        """Let the next pages of delta rounds be empty, with a link to go on."""
        self._empty[tenant] += times

    def clear(self) -> None:
        """Forget what was planned and not yet used up; expired links stay so."""
        with self._lock:
            self._planned.clear()
            self._between_pages.clear()
            self._repeating.clear()
            self._empty.clear()
            self.clock_skew_s, self.drop_notifications = 0.0, False

    def take(self, path: str, tenant: str | None) -> Fault | None:
        """Return what is wrong with a request, and use it up."""
        with self._lock:
            for fault in self._planned:
                if fault.times and path.startswith(fault.path) and fault.tenant in (None, tenant):
                    fault.times -= 1
                    return fault
        return None

    def page_given(self, path: str) -> None:
        """Make the changes that wait for a page of this path."""
        with self._lock:
            due = [entry for entry in self._between_pages if path.startswith(entry[0])]
            self._between_pages = [entry for entry in self._between_pages if entry not in due]
        for _, change in due:
            change()

    def generation(self, kind: str, tenant: str) -> int:
        """Return how often links of a kind have expired."""
        return self._generations[kind, tenant]

    def answers_gone(self, tenant: str) -> bool:
        """Tell whether expired delta links are answered by 410."""
        return self._gone.get(tenant, False)

    def repeats(self, tenant: str) -> bool:
        """Tell whether pages overlap."""
        return tenant in self._repeating

    def leaves_empty(self, tenant: str) -> bool:
        """Tell whether this page is to be empty, and use that up."""
        with self._lock:
            empty = self._empty[tenant] > 0
            self._empty[tenant] -= empty
        return empty
