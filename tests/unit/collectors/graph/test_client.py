"""The client against a real HTTP server. It listens on a Unix socket, which this tier allows: whatever host an address
names, the request arrives here, so that a token sent elsewhere is seen."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from collectors.graph.api import client as client_module
from collectors.graph.api.client import BatchRequest, GraphClient, Page
from collectors.graph.api.clouds import CLOUDS, GraphTenant
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
)
from collectors.graph.api.limits import Limits
from tests.support.waiting import eventually_async

BASE = "http://graph.test"
CLOUD = replace(CLOUDS["global"], graph=BASE)
ACME = GraphTenant("acme", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d201", CLOUD)
OTHER = GraphTenant("other", "7f0c9c1e-43a8-4a8e-8a51-0b0f35a1d202", CLOUD)
ADA = "5d2f0a51-7c0e-4d0b-9c0f-1f7b0a6c3e11"


@dataclass
class Seen:
    """A request as it arrived, and how many connections had been opened by then."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connections: int


@dataclass
class Reply:
    """What the server answers: a status, anything as JSON or bytes as they are, and headers."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False

    def content(self) -> bytes:
        return (
            self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()
        )


class FakeServer:
    """Answers each path from its own queue of replies, the last one for ever; it may be held to answer nothing."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.seen: list[Seen] = []
        self.connections = 0
        self.open = asyncio.Event()
        self.open.set()

    def answer(self, path: str, *replies: Reply) -> None:
        self.replies[path] = list(replies)

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append(Seen(scope["method"], target, headers, body, self.connections))
        await self.open.wait()
        queue = self.replies[scope["path"].removeprefix("/v1.0")]
        reply = queue.pop(0) if len(queue) > 1 else queue[0]
        content = reply.content()
        named = {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}
        start = [(name.encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": start})
        if reply.cut:
            await send({"type": "http.response.body", "body": content[:-2], "more_body": True})
            raise ConnectionAbortedError
        await send({"type": "http.response.body", "body": content})


async def until(check: Callable[[], bool]) -> None:
    async def checked() -> bool:
        return check()

    await eventually_async(checked)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[FakeServer]:
    fake = FakeServer()

    class Counting(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            fake.connections += 1
            super().connection_made(transport)

    config = uvicorn.Config(
        fake, uds=str(tmp_path / "s"), http=Counting, ws="none", lifespan="off", log_config=None, log_level="critical"
    )
    uvicorn_server = uvicorn.Server(config)
    serving = asyncio.create_task(uvicorn_server.serve())
    await until(lambda: uvicorn_server.started)
    yield fake
    fake.open.set()
    uvicorn_server.should_exit = True
    await serving


class MemoryTokens:
    """Tokens that count up when they are rejected; the first calls may fail."""

    def __init__(self, *failures: SignInError | SignInUnavailableError) -> None:
        self.failures = list(failures)
        self.rejected: list[str | None] = []

    async def token(self, tenant: GraphTenant) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return f"{tenant.tenant}-{len(self.rejected)}"

    def reject(self, tenant: GraphTenant, claims: str | None) -> None:
        self.rejected.append(claims)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at_s = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at_s += seconds
        await asyncio.sleep(0)


@pytest.fixture
def tokens() -> MemoryTokens:
    return MemoryTokens()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest_asyncio.fixture
async def http(server: FakeServer, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    # A client that would follow redirects: the token must not.
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "s"))
    async with httpx.AsyncClient(transport=transport, follow_redirects=True) as http:
        yield http


@pytest.fixture
def graph(http: httpx.AsyncClient, tokens: MemoryTokens, time: Time) -> GraphClient:
    return GraphClient(http, tokens, Limits(), time.sleep, time.now)


def page(*ids: str, next_link: str | None = None, delta_link: str | None = None) -> Reply:
    links = {"@odata.nextLink": next_link, "@odata.deltaLink": delta_link}
    return Reply({"value": [{"id": one} for one in ids]} | {name: link for name, link in links.items() if link})


def refusal(status: int, code: str, message: str = "", **headers: str) -> Reply:
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "r"}}}
    return Reply(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


async def test_a_request_carries_the_tenants_token_its_own_id_and_the_headers_asked_for(
    graph: GraphClient, server: FakeServer
) -> None:
    server.answer("/users", Reply({"ok": True}))
    for _ in range(2):
        assert {"ok": True} == await graph.get(ACME, "/users?$select=id", {"Prefer": "odata.maxpagesize=200"})
    first, second = server.seen
    assert ("GET", "/v1.0/users?$select=id") == (first.method, first.target)
    assert ("Bearer acme-0", "graph.test") == (first.headers["authorization"], first.headers["host"])
    assert "odata.maxpagesize=200" == first.headers["prefer"]
    assert first.headers["client-request-id"] != second.headers["client-request-id"]


async def test_pages_follow_links_as_they_are_also_through_empty_pages(graph: GraphClient, server: FakeServer) -> None:
    links = [f"{BASE}/v1.0/users/delta?$skiptoken=a%2Bb%24'c+d~{n}" for n in range(2)]
    done = f"{BASE}/v1.0/users/delta?$deltatoken=dt%20%3D"
    replies = page("a", next_link=links[0]), page(next_link=links[1]), page("b", delta_link=done)
    server.answer("/users/delta", *replies)
    pages = [one async for one in graph.pages(ACME, "/users/delta?$select=id", {"Prefer": "x"})]
    assert [Page([{"id": "a"}], links[0]), Page([], links[1]), Page([{"id": "b"}], None, done)] == pages
    assert [link.removeprefix(BASE) for link in links] == [seen.target for seen in server.seen[1:]]
    assert ["x"] * 3 == [seen.headers["prefer"] for seen in server.seen]


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.test/v1.0/users", "https://graph.test/v1.0/users", "http://graph.test:8080/v1.0/users",
        "http://graph.test.evil.test/", "http://graph.test@evil.test/", "http://ada:x@graph.test/",
        "ftp://graph.test/", "v1.0/users", "http://evil.test\\@graph.test/", "http://[::1/", "http://graph.test:99999/",
    ],
)  # fmt: skip
async def test_no_token_goes_along_a_link_that_leads_away(graph: GraphClient, server: FakeServer, link: str) -> None:
    server.answer("/users", page("a", next_link=link))
    pages = graph.pages(ACME, "/users")
    assert [{"id": "a"}] == (await anext(pages)).values
    with pytest.raises(ForeignLinkError, match="acme: GET of a link: the link leads away"):
        await anext(pages)
    assert 1 == len(server.seen)


async def test_what_begins_with_a_slash_is_a_path_of_the_tenants_graph(graph: GraphClient, server: FakeServer) -> None:
    server.answer("//evil.test/x", Reply({}))
    await graph.get(ACME, "//evil.test/x")
    assert ["graph.test"] == [seen.headers["host"] for seen in server.seen]


async def test_a_redirect_is_not_followed(graph: GraphClient, server: FakeServer) -> None:
    server.answer("/users", Reply(status=302, headers={"location": "http://evil.test/"}))
    with pytest.raises(GraphError, match="HTTP 302"):
        await graph.get(ACME, "/users")
    assert ["graph.test"] == [seen.headers["host"] for seen in server.seen]


async def test_a_list_that_goes_in_a_circle_ends(graph: GraphClient, server: FakeServer) -> None:
    server.answer("/users", page("a", next_link=f"{BASE}/v1.0/users?$skiptoken=1"))
    with pytest.raises(GraphError, match="circle"):
        _ = [one async for one in graph.pages(ACME, "/users")]
    assert 2 == len(server.seen)


async def test_a_list_without_links_is_read_by_skip_until_a_short_page(graph: GraphClient, server: FakeServer) -> None:
    server.answer("/numbers", page("a", "b"), page("c", "d"), page("e"))
    ids = [one["id"] async for some in graph.skip_pages(ACME, "/numbers?$select=id", 2) for one in some.values]
    assert ["a", "b", "c", "d", "e"] == ids
    start = "/v1.0/numbers?$select=id&$top=2&$skip="
    assert [f"{start}0", f"{start}2", f"{start}4"] == [seen.target for seen in server.seen]


async def test_skipping_ends_on_an_empty_page_and_takes_links_where_there_are_some(
    graph: GraphClient, server: FakeServer
) -> None:
    server.answer("/numbers", page("a", "b"), page())
    assert 2 == len([one async for one in graph.skip_pages(ACME, "/numbers", 2)])
    server.answer("/numbers", page("a", next_link=f"{BASE}/v1.0/numbers?$skiptoken=1"), page("b"))
    assert 2 == len([one async for one in graph.skip_pages(ACME, "/numbers", 2)])
    assert "/v1.0/numbers?$skiptoken=1" == server.seen[-1].target


async def test_a_list_that_takes_no_notice_of_skip_ends(graph: GraphClient, server: FakeServer) -> None:
    server.answer("/numbers", page("a", "b"))
    with pytest.raises(GraphError, match="no notice"):
        _ = [one async for one in graph.skip_pages(ACME, "/numbers", 2)]


async def test_subscriptions_are_created_changed_and_deleted(graph: GraphClient, server: FakeServer) -> None:
    server.answer("/subscriptions", Reply({"id": "s"}, 201))
    server.answer("/subscriptions/s", Reply({"id": "s"}), Reply(status=204))
    server.answer("/subscriptions/s/reauthorize", Reply(status=204))
    assert {"id": "s"} == await graph.post(ACME, "/subscriptions", {"resource": "/users"})
    assert {"id": "s"} == await graph.patch(ACME, "/subscriptions/s", {"expirationDateTime": "2026-06-01T10:00:00Z"})
    assert {} == await graph.post(ACME, "/subscriptions/s/reauthorize")
    await graph.delete(ACME, "/subscriptions/s")
    assert ["POST", "PATCH", "POST", "DELETE"] == [seen.method for seen in server.seen]
    assert [b'{"resource":"/users"}', b""] == [server.seen[0].body, server.seen[2].body]
    assert "application/json" == server.seen[0].headers["content-type"]


async def test_a_throttled_request_waits_as_long_as_it_is_told(
    graph: GraphClient, server: FakeServer, time: Time
) -> None:
    server.answer("/users", refusal(429, "TooManyRequests", retry_after="2.5"), Reply({}))
    await graph.get(ACME, "/users")
    assert 1 == len(time.slept)
    assert 2.5 <= time.slept[0] <= 3.0


@pytest.mark.parametrize("status", [500, 502, 504, 509])
async def test_a_server_error_passes_on_the_same_connection(
    graph: GraphClient, server: FakeServer, time: Time, status: int
) -> None:
    server.answer("/users", refusal(status, "x"), refusal(status, "x"), Reply({"ok": 1}))
    assert {"ok": 1} == await graph.get(ACME, "/users")
    assert ([1, 1, 1], 2) == ([seen.connections for seen in server.seen], len(time.slept))


async def test_an_unavailable_server_is_asked_again_on_a_new_connection(
    graph: GraphClient, server: FakeServer, time: Time
) -> None:
    server.answer("/users", refusal(503, "x", retry_after="4"), Reply(status=503), Reply({"ok": 1}))
    assert {"ok": 1} == await graph.get(ACME, "/users")
    assert [1, 2, 3] == [seen.connections for seen in server.seen]
    assert time.slept[0] >= 4


@pytest.mark.parametrize(
    "broken",
    [Reply(b'{"value": ['), Reply(b""), Reply([]), Reply({"value": {}}), Reply({"value": [1]}), Reply({"no": "page"}),
     Reply({"value": [], "@odata.nextLink": 7}), Reply(b'{"value": ["\xff"]}'), Reply({"value": []}, cut=True)],
)  # fmt: skip
async def test_a_broken_page_passes(graph: GraphClient, server: FakeServer, time: Time, broken: Reply) -> None:
    server.answer("/users", broken, page("a"))
    assert [Page([{"id": "a"}])] == [one async for one in graph.pages(ACME, "/users")]
    assert 1 == len(time.slept)


async def test_an_answer_that_drips_is_left(
    graph: GraphClient, server: FakeServer, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "ATTEMPT_S", 0.05)
    server.answer("/users", Reply({}))
    server.open.clear()
    with pytest.raises(UnavailableError, match="TimeoutError"):
        await graph.get(ACME, "/users")
    assert time.at_s <= 300


async def test_a_server_that_is_not_there_is_told_in_time(http: httpx.AsyncClient, time: Time, tmp_path: Path) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "nobody"))
    async with httpx.AsyncClient(transport=transport) as nobody:
        graph = GraphClient(nobody, MemoryTokens(), Limits(), time.sleep, time.now)
        with pytest.raises(UnavailableError, match="ConnectError") as raised:
            await graph.get(ACME, "/users")
    assert isinstance(raised.value.__cause__, httpx.ConnectError)
    assert len(time.slept) < 20


async def test_what_graph_asks_for_beyond_patience_is_told_at_once(
    graph: GraphClient, server: FakeServer, time: Time
) -> None:
    server.answer("/users", refusal(429, "TooManyRequests", retry_after="900"))
    with pytest.raises(UnavailableError, match="Graph throttles the tenant") as raised:
        await graph.get(ACME, "/users")
    assert (900, 429, "TooManyRequests", []) == (
        raised.value.retry_after_s, raised.value.status, raised.value.code, time.slept,
    )  # fmt: skip


async def test_a_refused_token_is_replaced_once_with_the_claims_asked_for(
    graph: GraphClient, server: FakeServer, tokens: MemoryTokens, time: Time
) -> None:
    challenge = 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'
    server.answer("/users", refusal(401, "InvalidAuthenticationToken", www_authenticate=challenge), Reply({"ok": 1}))
    assert {"ok": 1} == await graph.get(ACME, "/users")
    assert ['{"a":1}'] == tokens.rejected
    assert ["Bearer acme-0", "Bearer acme-1"] == [seen.headers["authorization"] for seen in server.seen]
    assert [] == time.slept


async def test_a_new_token_that_is_refused_too_is_told(
    graph: GraphClient, server: FakeServer, tokens: MemoryTokens
) -> None:
    server.answer("/users", refusal(401, "InvalidAuthenticationToken"))
    with pytest.raises(SignInError, match="refuses a new token too"):
        await graph.get(ACME, "/users")
    assert (2, [None]) == (len(server.seen), tokens.rejected)


async def test_a_refused_sign_in_is_told_and_one_that_fails_is_tried_again(
    http: httpx.AsyncClient, server: FakeServer, time: Time
) -> None:
    server.answer("/users", Reply({"ok": 1}))
    refused, away = SignInError(Call("acme", "sign-in")), SignInUnavailableError(Call("acme", "sign-in"))
    graph = GraphClient(http, MemoryTokens(away, refused), Limits(), time.sleep, time.now)
    with pytest.raises(SignInError):
        await graph.get(ACME, "/users")
    assert (1, []) == (len(time.slept), server.seen)
    graph = GraphClient(http, MemoryTokens(*[away] * 20), Limits(), time.sleep, time.now)
    with pytest.raises(SignInUnavailableError):
        await graph.get(ACME, "/users")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refusal(403, "forbidden"), ForbiddenError), (refusal(404, "Request_ResourceNotFound"), GoneError),
        (refusal(410, "gone"), ResyncRequiredError), (refusal(400, "syncStateNotFound"), ResyncRequiredError),
        (refusal(400, "Directory_ExpiredPageToken"), RoundExpiredError), (refusal(409, "Conflict"), GraphError),
        (Reply(b"<html>", 403), ForbiddenError),
    ],
)  # fmt: skip
async def test_what_no_retry_mends_is_told_at_once_by_its_kind(
    graph: GraphClient, server: FakeServer, time: Time, reply: Reply, kind: type[GraphError]
) -> None:
    server.answer("/users", reply)
    with pytest.raises(GraphError) as raised:
        await graph.get(ACME, "/users")
    assert (kind, reply.status, []) == (type(raised.value), raised.value.status, time.slept)


@pytest.mark.parametrize(
    ("location", "told"),
    [("/v1.0/users/delta?$deltatoken=", f"{BASE}/v1.0/users/delta?$deltatoken="),
     (f"{BASE}/v1.0/users/delta?$deltatoken=", f"{BASE}/v1.0/users/delta?$deltatoken="),
     ("http://evil.test/v1.0/users/delta", None), ("//evil.test/", None), ("http://[", None)],
)  # fmt: skip
async def test_where_to_read_everything_again_is_told_only_of_ones_own_graph(
    graph: GraphClient, server: FakeServer, location: str, told: str | None
) -> None:
    server.answer("/users/delta", refusal(410, "gone", location=location))
    with pytest.raises(ResyncRequiredError) as raised:
        await graph.get(ACME, "/users/delta?$deltatoken=old")
    assert told == raised.value.location


async def test_no_error_and_no_log_holds_a_name_a_token_or_a_query(
    graph: GraphClient, server: FakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A logger of its own: what other tests have configured, and structlog has kept, would decide what is told.
    captured = structlog.testing.CapturingLogger()
    own = structlog.wrap_logger(captured, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0))
    monkeypatch.setattr(client_module, "_log", own)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # as the module has it; caplog leaves it alone
    message = "Ada Moreau (ada@fabrikam.example) needs Team.ReadWrite.All"
    path = f"/users/{ADA}"
    server.answer(path, refusal(429, "x", message), refusal(403, "forbidden", message, request_id="6f0a0d5e-1"))
    with pytest.raises(ForbiddenError) as raised:
        await graph.get(ACME, f"{path}?$filter=number eq '+33199001001'")
    assert (
        "acme: GET /v1.0/users/{id} (HTTP 403, forbidden, request id 6f0a0d5e-1): the application needs one of"
        " Team.ReadWrite.All: grant it and consent to it in the tenant"
    ) == str(raised.value)
    logs = [call.kwargs for call in captured.calls]
    assert ["graph_request_waits"] == [entry["event"] for entry in logs]
    told = f"{raised.value!r} {logs} {caplog.text}"
    for secret in ("Ada", "ada@", "acme-0", "33199001001", "filter", ADA):
        assert secret not in told


def test_httpx_does_not_log_addresses() -> None:
    assert not logging.getLogger("httpx").isEnabledFor(logging.INFO)


def part(number: int, status: int, body: Any, **headers: str) -> dict[str, Any]:
    return {"id": str(number), "status": status, "headers": headers, "body": body}


async def test_a_batch_answers_in_the_order_of_its_requests_in_parts_of_twenty(
    graph: GraphClient, server: FakeServer
) -> None:
    parts = [part(number, 200, {"n": number}) for number in range(20)]
    server.answer("/$batch", Reply({"responses": parts[::-1]}), Reply({"responses": [part(0, 200, {"n": 20})]}))
    requests = [BatchRequest(f"/groups/{number}", {"ConsistencyLevel": "eventual"}) for number in range(21)]
    assert [{"n": number} for number in range(21)] == await graph.batch(ACME, requests)
    sent = [json.loads(seen.body)["requests"] for seen in server.seen]
    assert [20, 1] == [len(one) for one in sent]
    expected = {"id": "1", "method": "GET", "url": "/groups/1", "headers": {"ConsistencyLevel": "eventual"}}
    assert expected == sent[0][1]


async def test_only_the_parts_that_pass_are_asked_again_and_the_others_keep_their_errors(
    graph: GraphClient, server: FakeServer, time: Time
) -> None:
    throttled = {"error": {"code": "TooManyRequests", "message": ""}}
    first = [part(0, 200, {"a": 1}), part(1, 429, throttled, **{"Retry-After": "7"}), part(2, 404, None)]
    server.answer("/$batch", Reply({"responses": first}), Reply({"responses": [part(1, 200, {"b": 1})]}))
    fine, again, gone = await graph.batch(ACME, [BatchRequest("/a"), BatchRequest("/b"), BatchRequest("/users/x1")])
    assert ({"a": 1}, {"b": 1}) == (fine, again)
    assert isinstance(gone, GoneError)
    assert "/v1.0/users/{id}" in str(gone)
    assert [{"id": "1", "method": "GET", "url": "/b"}] == json.loads(server.seen[1].body)["requests"]
    assert 7 <= time.slept[0] <= 8


@pytest.mark.parametrize("missing", [[], [part(0, 200, "QQ==")], [{"id": "0"}], [part(0, 500, None)]])
async def test_a_part_that_never_comes_is_an_error_of_its_own(
    graph: GraphClient, server: FakeServer, time: Time, missing: list[Any]
) -> None:
    server.answer("/$batch", Reply({"responses": missing}))
    (result,) = await graph.batch(ACME, [BatchRequest("/a")])
    assert isinstance(result, UnavailableError)
    assert time.at_s <= 300
    assert max(time.slept) >= 10, "longer each time"


async def test_a_part_whose_token_is_refused_gets_a_new_one_once(
    graph: GraphClient, server: FakeServer, tokens: MemoryTokens
) -> None:
    server.answer("/$batch", Reply({"responses": [part(0, 401, None)]}))
    (result,) = await graph.batch(ACME, [BatchRequest("/a")])
    assert isinstance(result, SignInError)
    assert (2, [None]) == (len(server.seen), tokens.rejected)


async def test_a_tenant_that_waits_holds_no_slot_of_the_others(
    http: httpx.AsyncClient, server: FakeServer, tokens: MemoryTokens
) -> None:
    waiting, over = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await over.wait()

    graph = GraphClient(http, tokens, Limits(app=1, per_tenant=1), sleep)
    server.answer("/throttled", Reply(status=429), Reply({}))
    server.answer("/users", Reply({"ok": 1}))
    throttled = asyncio.create_task(graph.get(ACME, "/throttled"))
    await waiting.wait()
    assert {"ok": 1} == await asyncio.wait_for(graph.get(OTHER, "/users"), 5)
    over.set()
    await throttled


async def test_no_more_run_at_a_time_than_a_tenant_and_the_application_may(
    http: httpx.AsyncClient, server: FakeServer, tokens: MemoryTokens
) -> None:
    graph = GraphClient(http, tokens, Limits(app=3, per_tenant=2))
    server.answer("/users", Reply({}))
    server.open.clear()
    requests = [asyncio.create_task(graph.get(tenant, "/users")) for tenant in (ACME, OTHER) for _ in range(5)]
    await until(lambda: len(server.seen) == 3)
    await asyncio.sleep(0)
    assert {"Bearer acme-0": 2, "Bearer other-0": 1} == _counted(server)
    server.open.set()
    await asyncio.gather(*requests)
    assert {"Bearer acme-0": 5, "Bearer other-0": 5} == _counted(server)


def _counted(server: FakeServer) -> dict[str, int]:
    names = [seen.headers["authorization"] for seen in server.seen]
    return {name: names.count(name) for name in set(names)}


async def test_a_free_slot_goes_to_the_next_tenant_in_turn_however_many_requests_each_has() -> None:
    limits, order = Limits(app=1, per_tenant=4), []

    async def request(tenant: str) -> None:
        async with limits.slot(tenant):
            order.append(tenant)
            await asyncio.sleep(0)

    await asyncio.gather(*[request(tenant) for tenant in ["big"] * 6 + ["a", "b"]])
    assert ["big", "big", "a", "b", "big", "big", "big", "big"] == order


async def test_a_request_that_is_cancelled_gives_back_its_turn_and_its_slot() -> None:
    limits = Limits(app=2, per_tenant=1)
    async with AsyncExitStack() as held:
        await held.enter_async_context(limits.slot("a"))
        queued = [asyncio.create_task(limits.slot("a").__aenter__()) for _ in range(2)]
        await asyncio.sleep(0)
        queued[0].cancel()
    queued[1].cancel()  # it has been given the slot, and has not run since
    await asyncio.gather(*queued, return_exceptions=True)
    for _ in range(3):
        async with asyncio.timeout(5), limits.slot("a"), limits.slot("b"):
            pass
