"""What stands before API and pages: origins of requests and sockets, hosts, headers, rates."""

import base64
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.oidc.provider import OidcProvider
from tests.support.ports import HOST
from tests.support.sign_in_portal import BROKEN
from tests.support.signing_in import PUBLIC, SignInPortal, running_portal
from tests.support.waiting import eventually_async

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport="
COUNT = "/api/v1/tenants/contoso/licenses"
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def local(folder: Path) -> Iterator[str]:
    with running_portal(folder, None, requests_per_s="1") as running:
        yield f"http://{HOST}:{running.port}"


@pytest.fixture
async def ana(portal: SignInPortal) -> AsyncIterator[httpx.AsyncClient]:
    async with portal.signed_in("ana") as browser:
        yield browser


async def handshake(browser: httpx.AsyncClient, **headers: str) -> int:
    """Ask for the pages' websocket; return the status, 101 where it opens."""
    asks = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }  # fmt: skip
    async with browser.stream("GET", f"{SOCKET}websocket", headers=asks | headers) as answer:
        return answer.status_code


async def test_the_socket_of_the_pages_opens_for_the_portals_own_pages_alone(ana: httpx.AsyncClient) -> None:
    assert 101 == await handshake(ana, Origin=PUBLIC)
    for origin in (EVIL, "null", "http://portal.example", "https://portal.example.evil.example", f"{PUBLIC}:8443"):
        assert 403 == await handshake(ana, Origin=origin), origin
    assert 403 == await handshake(ana), "a cookie without an origin"
    assert 403 == await handshake(ana, **{"Sec-Fetch-Site": "same-site"}), "a neighbouring host"
    polled = [(await ana.get(f"{SOCKET}polling", headers={"Origin": origin})).status_code for origin in (PUBLIC, EVIL)]
    assert [200, 403] == polled


async def test_no_stranger_gets_a_socket(portal: SignInPortal) -> None:
    async with portal.browser() as stranger:
        assert 403 == await handshake(stranger, Origin=PUBLIC)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": PUBLIC}, 202),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({"Origin": EVIL}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": PUBLIC}, 403),
        ({}, 403),
        ({"Authorization": "Bearer none"}, 401),
        ({"Authorization": "Basic bm9uZTpub25l"}, 403),
    ],
)
async def test_a_session_changes_something_from_the_portals_own_pages_alone(
    ana: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await ana.post("/api/v1/events", json=[], headers=headers)
    assert status == answer.status_code, answer.text


async def test_a_local_portal_answers_for_its_own_machine_alone(local: str) -> None:
    async with httpx.AsyncClient(base_url=local) as client:
        port = client.base_url.port
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST"):
            assert 200 == (await client.get(COUNT, headers={"Host": host})).status_code, host
        for host in (
            f"evil.example:{port}",
            "evil.example",
            "127.0.0.1.evil.example",
            f"{HOST}.",
            "localhost@evil",
            "",
        ):
            for path in (COUNT, "/who/contoso", "/healthz"):
                answer = await client.get(path, headers={"Host": host})
                assert (421, 421) == (answer.status_code, answer.json()["status"]), host
        assert 101 == await handshake(client, Origin=local)
        assert 403 == await handshake(client, Host="evil.example", Origin="http://evil.example")
        assert 403 == await handshake(client, Origin="http://evil.example")


async def test_a_local_portal_asks_nobody_to_sign_in_and_limits_nobody(local: str) -> None:
    async with httpx.AsyncClient(base_url=local) as client:
        page = await client.get("/who/contoso")
        assert "local" in page.text
        assert "Sign out" not in page.text
        assert 404 == (await client.get("/auth/login")).status_code
        assert {200} == {(await client.get(COUNT)).status_code for _ in range(20)}


ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/who/contoso", 200), ("/who/nobody", 404), ("/nothing", 404), (COUNT, 200),
        (f"/api/v1/tenants/{BROKEN}/licenses", 500), (f"/who/{BROKEN}", 500), ("/api/nothing", 404), ("/healthz", 200),
        ("/metrics", 200), ("/auth/login", 303), ("/auth/callback", 400), ("/auth/nothing", 404), ("/auth/logout", 405),
        ("/_nicegui/nothing", 404), ("/api/openapi.json", 200),
    ],
)  # fmt: skip
async def test_every_answer_has_the_headers(ana: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await ana.get(path)
    assert status == answer.status_code
    shown = {name: answer.headers.get(name) for name in ALWAYS}
    assert ALWAYS == shown
    assert "max-age=31536000" == answer.headers["strict-transport-security"]
    assert "no-store" == answer.headers["cache-control"]
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert path.startswith(("/who", "/nothing", "/_nicegui")) == ("script-src" in policy), policy
    assert "*" not in policy
    assert "the text of an exception" not in answer.text


async def test_refusals_have_the_headers_too_and_plain_http_no_promise_of_https(
    portal: SignInPortal, local: str
) -> None:
    async with portal.browser() as stranger, httpx.AsyncClient(base_url=local) as client:
        answers = [await stranger.get("/"), await stranger.get(COUNT), await stranger.post("/api/v1/events")]
        answers += [await client.get("/", headers={"Host": "evil.example"})]
        assert [303, 401, 401, 421] == [answer.status_code for answer in answers]
        assert [ALWAYS] * 4 == [{name: answer.headers.get(name) for name in ALWAYS} for answer in answers]
        assert "strict-transport-security" not in (await client.get(COUNT)).headers


@pytest.mark.parametrize(
    "path", ["/api/v1/tenants/", f"{COUNT}/", "/healthz/", "/who/contoso/", "/sync/", "/auth/login/"]
)
async def test_no_answer_leads_to_the_host_that_was_asked_for(ana: httpx.AsyncClient, path: str) -> None:
    answer = await ana.get(path, headers={"Host": "evil.example"})
    assert (404, None) == (answer.status_code, answer.headers.get("location"))


async def test_files_of_the_pages_may_be_kept(ana: httpx.AsyncClient) -> None:
    page = await ana.get("/who/contoso")
    file = next(part for part in page.text.split('"') if part.startswith("/_nicegui/") and part.endswith(".css"))
    answer = await ana.get(file)
    assert 200 == answer.status_code
    assert "max-age" in answer.headers["cache-control"]


async def test_whoever_asks_too_fast_is_told_when_to_ask_again(folder: Path, provider: OidcProvider) -> None:
    with running_portal(folder, provider, requests_per_s="1") as portal:
        async with portal.signed_in("ana") as ana, portal.signed_in("tia") as tia:
            statuses = [(await ana.get(COUNT)).status_code for _ in range(11)]
            assert [200] * 10 + [429] == statuses
            refused = await ana.get(COUNT)
            assert 429 == refused.json()["status"]
            assert 1 <= int(refused.headers["retry-after"]) <= 10
            assert 429 == (await ana.get("/who/contoso")).status_code, "pages and API count together"
            assert 200 == (await tia.get(COUNT)).status_code, "each principal counts for itself"
            assert 200 == (await ana.get("/healthz")).status_code

            async def again() -> bool:
                return (await ana.get(COUNT)).status_code == 200

            await eventually_async(again, 15)


async def test_strangers_are_counted_by_address_and_sign_ins_apart_from_the_rest(portal: SignInPortal) -> None:
    async with portal.browser() as one, portal.browser() as other:
        statuses = [(await one.get("/auth/signed-out")).status_code for _ in range(121)]
        assert [200] * 120 + [429] == statuses
        assert 200 == (await other.get("/auth/signed-out")).status_code
        assert 401 == (await one.get(COUNT)).status_code, "the rest is not concerned"
