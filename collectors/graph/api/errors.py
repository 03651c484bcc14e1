"""Owns the failures of Microsoft Graph and of signing in to it; every text says what happened, and what to do next.

CollectorError
└── GraphError                   what no retry mends: the request itself is wrong
    ├── SignInError              Entra ID refuses a token, or Graph refuses the token it gave
    ├── SignInUnavailableError   Entra ID does not answer at the moment
    ├── ForbiddenError           403: a permission is missing, or the tenant does not allow it
    ├── GoneError                404: the object is not there, or not any more
    ├── ResyncRequiredError      the delta token is of no use: only a full sync knows the state
    ├── RoundExpiredError        a link in mid-round is of no use: the round starts again
    ├── UnavailableError         throttled or failing for longer than a request may wait
    └── ForeignLinkError         a link leads away from the tenant's Graph, and was not followed

No text holds a query, an id of an object, or a message of Graph: those carry names, numbers and tokens.
"""

import re
from dataclasses import dataclass

from collectors.errors import CollectorError

_WORD_OF_THE_API = re.compile(r"v1\.0|beta|[A-Za-z$][A-Za-z.$()]{0,47}")
"""Ids of objects hold digits, of number assignments even the number (in base64); principal names hold an @."""


def endpoint(path: str) -> str:
    """Return a path (decoded, without query) for logs and texts, with `{id}` for whatever is not of the API."""
    return "/".join(part if not part or _WORD_OF_THE_API.fullmatch(part) else "{id}" for part in path.split("/"))


@dataclass(frozen=True, slots=True)
class Call:
    """What an error is about. `request` is a method and an endpoint; `code` is Graph's, or Entra ID's AADSTS number."""

    tenant: str
    request: str
    status: int | None = None
    code: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        status = f"HTTP {self.status}" if self.status is not None else ""
        request_id = f"request id {self.request_id}" if self.request_id else ""
        details = ", ".join(filter(None, (status, self.code, request_id)))
        return f"{self.tenant}: {self.request}" + (f" ({details})" if details else "")


class GraphError(CollectorError):
    """A request that failed, and will fail again. `reason` and `next_step` are sentences for people."""

    reason = "Graph refuses the request"
    next_step = "look the code up in the documentation of Microsoft Graph, or report it"

    def __init__(self, call: Call, reason: str | None = None, next_step: str | None = None) -> None:
        self.call = call
        self.reason = reason or self.reason
        self.next_step = next_step or self.next_step
        super().__init__(f"{call}: {self.reason}: {self.next_step}")

    @property
    def answer(self) -> str:
        """What was asked and how it was answered, the same at each attempt: without the id of the request."""
        status = f"HTTP {self.status}" if self.status is not None else ""
        return ", ".join(filter(None, (self.call.request, status, self.code)))

    @property
    def words(self) -> str:
        """What happened and what to do next, the same at each attempt."""
        return f"{self.reason} ({self.answer}): {self.next_step}"

    @property
    def status(self) -> int | None:
        return self.call.status

    @property
    def code(self) -> str:
        return self.call.code

    @property
    def request_id(self) -> str:
        return self.call.request_id


class SignInError(GraphError):
    """Entra ID refuses a token, or Graph refuses the one it gave. A person has to act."""

    reason = "Entra ID refuses the sign-in"
    next_step = "check the application's registration and the tenant's consent (`poolwatch graph check`)"


class SignInUnavailableError(GraphError):
    """Entra ID does not answer, or not in its own language. It passes."""

    reason = "Entra ID does not answer as it should"
    next_step = "nothing: it is tried again; if it stays, check the way out to the login host"

    def __init__(self, call: Call, reason: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(call, reason)
        self.retry_after_s = retry_after_s


class ForbiddenError(GraphError):
    """403. `permissions` are those that Graph names as missing, where it does."""

    reason = "Graph does not allow the application this"
    next_step = "grant the missing permission and consent to it in the tenant (`poolwatch graph check` names it)"

    def __init__(self, call: Call, permissions: tuple[str, ...] = ()) -> None:
        self.permissions = permissions
        named = f"the application needs one of {', '.join(permissions)}" if permissions else None
        super().__init__(call, named, "grant it and consent to it in the tenant" if permissions else None)


class GoneError(GraphError):
    """404. What was asked for is not there, or not any more."""

    reason = "Graph does not find it"
    next_step = "nothing if it was deleted; else check the id"


class ResyncRequiredError(GraphError):
    """The delta token is of no use. `location` is where Graph wants the full round to start, if it said so."""

    reason = "the delta link is too old or unknown"
    next_step = "a full sync is needed"

    def __init__(self, call: Call, location: str | None = None) -> None:
        super().__init__(call)
        self.location = location


class RoundExpiredError(GraphError):
    """A link to the next page is of no use any more."""

    reason = "the link to the next page is too old"
    next_step = "the round starts again"


class UnavailableError(GraphError):
    """Throttled or failing for longer than a request may wait. `retry_after_s` is what Graph asked for last."""

    reason = "Graph is throttling or failing"
    next_step = "nothing: it is tried again later; if it stays, look at Microsoft's service health"

    def __init__(self, call: Call, reason: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(call, reason)
        self.retry_after_s = retry_after_s


class ForeignLinkError(GraphError):
    """A link leads away from the tenant's Graph. Following it would hand the tenant's token to somebody else."""

    reason = "the link leads away from the tenant's Graph"
    next_step = "it was not followed; check the tenant's cloud, and any proxy in between"
