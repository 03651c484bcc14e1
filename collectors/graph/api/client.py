"""Owns requests to Microsoft Graph: tokens on, failures tried again by the table, pages put together, and batches sent.

What an answer means is the business of whoever asks. A token goes to the tenant's own Graph and nowhere else, and no
address with its query goes into a log.
"""

import asyncio
import logging
import random
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx
import msgspec
import structlog

from collectors.graph.api.batches import BATCH_PARTS, Batch, BatchRequest, PartAnswer, read_parts
from collectors.graph.api.clouds import GraphTenant
from collectors.graph.api.errors import (
    Call,
    ForbiddenError,
    ForeignLinkError,
    GoneError,
    GraphError,
    ResyncRequiredError,
    RoundExpiredError,
    SignInError,
    SignInUnavailableError,
    UnavailableError,
    endpoint,
)
from collectors.graph.api.limits import Limits
from collectors.graph.api.retries import (
    TABLE,
    Action,
    BrokenAnswerError,
    Failure,
    claims_challenge,
    judge_answer,
    judge_exception,
    may_try_again,
    wait_s,
)
from collectors.graph.api.tokens import Tokens
from collectors.graph.metrics import REQUEST_S, REQUESTS

__all__ = ["BatchRequest", "GraphClient", "JsonObject", "Page"]

ATTEMPT_S: Final = 60.0
"""How long one attempt may take from first to last byte: a server that drips must not hold a slot for ever."""

JsonObject = dict[str, Any]
T = TypeVar("T")

_log = structlog.get_logger(__name__)

# httpx writes each whole address at info; the queries of Graph hold names, numbers and state.
logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. A round of delta ends with the page that has a delta link; a link is used as it is."""

    values: list[JsonObject]
    next_link: str | None = None
    delta_link: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes | None = None

    def call(self, tenant: GraphTenant, failure: Failure | None = None, request_id: str = "") -> Call:
        status, code = (failure.status, failure.code) if failure else (None, "")
        return Call(tenant.tenant, f"{self.method} {endpoint(self.url.path)}", status, code, request_id)


@dataclass(frozen=True, slots=True)
class _Failed:
    """An attempt that failed, with all that an error or the next attempt needs."""

    failure: Failure
    request_id: str = ""
    claims: str | None = None
    location: str | None = None
    cause: Exception | None = None


class GraphClient:
    """Speaks to Graph for all tenants. Paths begin with a slash and are of v1.0; anything else (beta, links) is a
    whole address. `now` is in seconds and never goes back."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: Tokens,
        limits: Limits,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._limits = limits
        self._sleep = sleep
        self._now = now

    async def get(self, tenant: GraphTenant, path_or_url: str, headers: Mapping[str, str] | None = None) -> JsonObject:
        """Read one object. Raises GraphError, as all methods do."""
        return await self._call(tenant, _request(tenant, "GET", path_or_url, headers), _read_object)

    async def post(self, tenant: GraphTenant, path_or_url: str, body: JsonObject | None = None) -> JsonObject:
        """Create something; {} if Graph answers nothing. Tried again like a GET: Graph refuses a second subscription
        to the same thing with 409."""
        request = _request(tenant, "POST", path_or_url, None, body)
        return await self._call(tenant, request, _read_object_or_nothing)

    async def patch(self, tenant: GraphTenant, path_or_url: str, body: JsonObject) -> JsonObject:
        """Change something; {} if Graph answers nothing."""
        request = _request(tenant, "PATCH", path_or_url, None, body)
        return await self._call(tenant, request, _read_object_or_nothing)

    async def delete(self, tenant: GraphTenant, path_or_url: str) -> None:
        """Delete something. Raises GoneError if it is not there, also because an earlier attempt was not heard."""
        await self._call(tenant, _request(tenant, "DELETE", path_or_url, None), _read_object_or_nothing)

    async def pages(
        self, tenant: GraphTenant, path_or_url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Page]:
        """Read a list page by page, with the same headers for each."""
        address: str | None = path_or_url
        while address:
            request = _request(tenant, "GET", address, headers)
            page = await self._call(tenant, request, _read_page)
            if page.next_link == address:
                raise GraphError(request.call(tenant), "the list goes round in a circle", "report it to Microsoft")
            yield page
            address = page.next_link

    async def skip_pages(self, tenant: GraphTenant, path: str, top: int) -> AsyncIterator[Page]:
        """Read a list that is paged by $skip: until a page has fewer than `top`, or along its links if it has some."""
        skip, before = 0, None
        while True:
            request = _request(tenant, "GET", f"{path}{'&' if '?' in path else '?'}$top={top}&$skip={skip}", None)
            page = await self._call(tenant, request, _read_page)
            if page.values and page.values == before:
                raise GraphError(request.call(tenant), "the list takes no notice of $skip", "report it to Microsoft")
            yield page
            if page.next_link:
                async for linked in self.pages(tenant, page.next_link):
                    yield linked
                return
            if len(page.values) < top:
                return
            skip, before = skip + len(page.values), page.values

    async def batch(self, tenant: GraphTenant, requests: Sequence[BatchRequest]) -> list[JsonObject | GraphError]:
        """Read many objects in few requests. Returns, in the order of the requests, what each one answered, or the
        error that it alone has; a link in an answer is the caller's to follow."""
        return [
            _error(tenant, _request(tenant, "GET", request.path, None), _Failed(part))
            if isinstance(part, Failure)
            else part
            for start in range(0, len(requests), BATCH_PARTS)
            for request, part in await self._batch(tenant, requests[start : start + BATCH_PARTS])
        ]

    async def _batch(
        self, tenant: GraphTenant, requests: Sequence[BatchRequest]
    ) -> list[tuple[BatchRequest, PartAnswer]]:
        batch, began = Batch(requests), self._now()
        while batch.open():
            parts = await self._call(tenant, _request(tenant, "POST", "/$batch", None, batch.body()), read_parts)
            again = batch.take(parts, self._now() - began, random.random())
            if again.sign_in:
                self._tokens.reject(tenant, None)
            if again.wait_s:
                await self._sleep(again.wait_s)
        return batch.parts()

    async def _call(self, tenant: GraphTenant, request: _Request, read: Callable[[Any], T]) -> T:
        began, attempt, signed_in_anew = self._now(), 0, False
        while True:
            asked = self._now()
            outcome = await self._attempt(tenant, request, read)
            REQUEST_S.observe(self._now() - asked)
            REQUESTS.labels(outcome.failure.action.name.lower() if isinstance(outcome, _Failed) else "ok").inc()
            if not isinstance(outcome, _Failed):
                return outcome
            if outcome.failure.action is Action.NEW_TOKEN and not signed_in_anew:
                signed_in_anew = True
                self._tokens.reject(tenant, outcome.claims)
                continue
            attempt += 1
            delay_s = wait_s(outcome.failure, attempt, random.random())
            if not may_try_again(outcome.failure, attempt, self._now() - began, delay_s):
                raise _error(tenant, request, outcome)
            call = request.call(tenant, outcome.failure, outcome.request_id)
            _log.info("graph_request_waits", call=str(call), attempt=attempt, wait_s=round(delay_s, 3))
            await self._sleep(delay_s)

    async def _attempt(self, tenant: GraphTenant, request: _Request, read: Callable[[Any], T]) -> T | _Failed:
        request_id = str(uuid.uuid4())
        try:
            token = await self._tokens.token(tenant)
            async with self._limits.slot(tenant.tenant), asyncio.timeout(ATTEMPT_S):
                response = await self._exchange(request, token, request_id)
            failed = _failed(tenant, response, request_id)
            return failed or read(_decoded(response))
        except (httpx.HTTPError, TimeoutError, BrokenAnswerError, SignInUnavailableError) as error:
            return _Failed(judge_exception(error), request_id, cause=error)

    async def _exchange(self, request: _Request, token: str, request_id: str) -> httpx.Response:
        headers = {**request.headers, "Authorization": f"Bearer {token}", "client-request-id": request_id}
        sent = self._http.build_request(request.method, request.url, headers=headers, content=request.content)
        # A redirect may lead anywhere, and the token would follow.
        response = await self._http.send(sent, stream=True, follow_redirects=False)
        try:
            # A connection is closed with a body left unread on it: that makes the next attempt open another.
            if TABLE.get(response.status_code) is not Action.NEW_CONNECTION:
                await response.aread()
        finally:
            await response.aclose()
        return response


def _request(
    tenant: GraphTenant,
    method: str,
    path_or_url: str,
    headers: Mapping[str, str] | None,
    body: JsonObject | None = None,
) -> _Request:
    url = _own_url(tenant, f"{tenant.cloud.graph}/v1.0{path_or_url}" if path_or_url.startswith("/") else path_or_url)
    if url is None:
        raise ForeignLinkError(Call(tenant.tenant, f"{method} of a link"))
    if body is None:
        return _Request(method, url, {"Accept": "application/json", **(headers or {})})
    typed = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
    return _Request(method, url, typed, msgspec.json.encode(body))


def _own_url(tenant: GraphTenant, address: str, relative_to: httpx.URL | None = None) -> httpx.URL | None:
    """Return the address if it is of the tenant's Graph. What was looked at is what is requested: no second parser."""
    base = httpx.URL(tenant.cloud.graph)
    try:
        url = relative_to.join(address) if relative_to else httpx.URL(address)
    except (httpx.InvalidURL, ValueError):  # joining uses the standard library's parser
        return None
    same = (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
    return url if same and not url.userinfo else None


_REQUEST_ID = re.compile(r"[0-9A-Za-z-]{1,64}")


def _failed(tenant: GraphTenant, response: httpx.Response, request_id: str) -> _Failed | None:
    if response.is_success:
        return None
    try:
        body = _decoded(response)
    except BrokenAnswerError:
        body = None
    failure = judge_answer(response.status_code, response.headers, body)
    theirs = response.headers.get("request-id", "")
    location = response.headers.get("location")
    # Told only if it may be followed: whoever gets the error hands it back as a link.
    own = _own_url(tenant, location, response.url) if location else None
    return _Failed(
        failure,
        theirs if _REQUEST_ID.fullmatch(theirs) else request_id,
        claims_challenge(response.headers),
        str(own) if own else None,
    )


def _error(tenant: GraphTenant, request: _Request, failed: _Failed) -> GraphError:
    """Return the error that a failure ends in once nothing more can be tried."""
    failure, call = failed.failure, request.call(tenant, failed.failure, failed.request_id)
    match failure.action:
        case Action.FORBIDDEN:
            return ForbiddenError(call, failure.permissions)
        case Action.GONE:
            return GoneError(call)
        case Action.RESYNC:
            return ResyncRequiredError(call, failed.location)
        case Action.RESTART_ROUND:
            return RoundExpiredError(call)
        case Action.NEW_TOKEN:
            return SignInError(
                call,
                "Graph refuses a new token too",
                "check that the tenant is active and the application enabled in it",
            )
        case Action.GIVE_UP:
            # Without the cause: a request that could not even be written has its headers in the exception's text.
            return GraphError(call)
    if isinstance(failed.cause, SignInUnavailableError):
        return failed.cause
    reason = "Graph throttles the tenant" if failure.action is Action.RETRY_AFTER else None
    error = UnavailableError(call, reason, failure.retry_after_s)
    error.__cause__ = failed.cause
    return error


def _decoded(response: httpx.Response) -> Any:
    if not response.is_stream_consumed or not response.content:
        return None
    try:
        return msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The decoder's own words quote the text.
        raise BrokenAnswerError("not JSON, or cut off") from None


def _read_object(body: Any) -> JsonObject:
    if not isinstance(body, dict):
        raise BrokenAnswerError("not an object")
    return body


def _read_object_or_nothing(body: Any) -> JsonObject:
    return {} if body is None else _read_object(body)


def _read_page(body: Any) -> Page:
    page = _read_object(body)
    values, links = page.get("value"), (page.get("@odata.nextLink"), page.get("@odata.deltaLink"))
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise BrokenAnswerError("not a page")
    if not all(link is None or isinstance(link, str) for link in links):
        raise BrokenAnswerError("a link that is none")
    return Page(values, *links)
