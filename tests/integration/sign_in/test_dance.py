"""Signing in at a real OpenID Connect provider: the whole dance, and every step of it done wrong."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest

from portal.access.sessions import Cookies
from portal.services import utc_now
from tests.support.oidc.provider import OidcProvider, running_provider
from tests.support.signing_in import (
    KEY,
    PUBLIC,
    SESSION,
    SignInPortal,
    came_back,
    form_of,
    name_account,
    running_portal,
    sealed_session,
    set_out,
    sign_in,
    state_of,
)

COUNT = "/api/v1/tenants/contoso/licenses"


def held(browser: httpx.AsyncClient) -> dict[str, object]:
    """Return what the session of a browser holds."""
    read: dict[str, object] = Cookies(KEY, secure=True).serializer("poolwatch.session").loads(browser.cookies[SESSION])
    return read


async def test_whoever_signs_in_comes_back_to_the_page_that_was_asked_for(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        answer = await sign_in(browser, "ana", "/who/contoso?from=2026-03&to=%2B1")
        assert (303, "/who/contoso?from=2026-03&to=%2B1") == (answer.status_code, answer.headers["location"])
        assert "ana@msp.example" in (await browser.get("/who/contoso")).text
        assert 200 == (await browser.get(COUNT)).status_code


async def test_a_stranger_gets_no_page_no_answer_and_no_file_of_the_pages(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        page = await browser.get("/who/contoso")
        assert (303, "/auth/login?next=/who/contoso") == (page.status_code, page.headers["location"])
        for path in ("/api/v1/tenants", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
            answer = await browser.get(path)
            assert (401, 401) == (answer.status_code, answer.json()["status"]), path
        assert 401 == (await browser.post("/api/v1/events", json=[])).status_code
        assert 200 == (await browser.get("/healthz")).status_code


async def test_the_request_to_the_provider_has_state_nonce_and_a_challenge(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        asked = parse_qs(urlsplit(await set_out(browser)).query)
    assert ["code"] == asked["response_type"]
    assert ["S256"] == asked["code_challenge_method"]
    assert [f"{PUBLIC}/auth/callback"] == asked["redirect_uri"]
    assert all(len(asked[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))


async def test_the_session_is_a_cookie_that_no_script_no_other_site_and_no_neighbour_has(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        answer = await sign_in(browser, "ana")
    given = {cookie.partition("=")[0]: cookie for cookie in answer.headers.get_list("set-cookie")}
    flags = {part.strip().lower() for part in given[SESSION].split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/", "max-age=28800"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)


async def test_a_session_holds_who_it_is_and_nothing_of_the_provider(portal: SignInPortal) -> None:
    async with portal.signed_in("tia") as browser:
        known = held(browser)
        left = [name for name in browser.cookies if name.startswith("__Host-poolwatch-sign-in")]
    assert {"sub": "tia", "name": "tia@contoso.example", "role": "tenant_admin", "tenants": ["contoso"]} == {
        name: value for name, value in known.items() if name != "until"
    }
    assert [] == left, "what the attempt needed is gone"


@pytest.mark.parametrize(
    ("account", "role", "tenants"),
    [
        ("ana", "provider_admin", []),
        ("vic", "provider_viewer", []),
        ("tia", "tenant_admin", ["contoso"]),
        ("tom", "tenant_viewer", ["contoso", "fabrikam"]),
        ("boss", "provider_admin", []),
    ],
)
async def test_roles_come_from_claims_groups_and_settings(
    portal: SignInPortal, account: str, role: str, tenants: list[str]
) -> None:
    async with portal.signed_in(account) as browser:
        known = held(browser)
    assert (role, tenants) == (known["role"], known["tenants"])


@pytest.mark.parametrize("account", ["nora", "impostor", "pretender"])
async def test_without_a_role_nobody_gets_in_and_is_told_so_with_a_way_out(portal: SignInPortal, account: str) -> None:
    async with portal.browser() as browser:
        answer = await sign_in(browser, account)
        assert 403 == answer.status_code
        assert "nobody has given you a role in Poolwatch" in answer.text
        assert '<form method="post" action="/auth/logout"' in answer.text
        assert SESSION not in browser.cookies
        assert 303 == (await browser.get("/")).status_code


async def test_a_tenants_user_sees_the_page_of_that_tenant_alone(portal: SignInPortal) -> None:
    async with portal.signed_in("tia") as browser:
        assert "tia@contoso.example" in (await browser.get("/who/contoso")).text
        assert 404 == (await browser.get("/who/fabrikam")).status_code


async def test_who_is_refused_by_the_provider_is_told_so(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        answer = await sign_in(browser, "nobody-of-that-name")
    # The provider's own error comes with a state that this browser began.
    assert 400 == answer.status_code
    assert "did not let you in" in answer.text


def changed(url: str, **parameters: str) -> str:
    return str(httpx.URL(url).copy_merge_params(parameters))


async def refused(browser: httpx.AsyncClient, url: str) -> str:
    answer = await browser.get(url)
    assert (400, False) == (answer.status_code, SESSION in browser.cookies), answer.text
    return answer.text


async def test_a_wrong_state_is_refused(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        back = await came_back(browser)
        for state in ("0" * 48, "", "../../x", state_of(back)[:-1] + "z"):
            assert "not the end of a sign-in that this browser began" in await refused(
                browser, changed(back, state=state)
            )


async def test_what_another_browser_began_is_refused(portal: SignInPortal) -> None:
    async with portal.browser() as victim, portal.browser() as attacker:
        assert "this browser began" in await refused(victim, await came_back(attacker))


async def test_a_callback_counts_once(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        back = await came_back(browser)
        kept = list(browser.cookies.jar)
        assert 303 == (await browser.get(back)).status_code
        browser.cookies.delete(SESSION)
        assert "this browser began" in await refused(browser, back)
        for cookie in kept:  # somebody who kept a copy of everything
            browser.cookies.jar.set_cookie(cookie)
        assert "does not belong to this attempt" in await refused(browser, back)


async def test_a_code_of_another_attempt_is_refused(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        first = await came_back(browser)
        state = state_of(await set_out(browser))
        assert "does not belong to this attempt" in await refused(browser, changed(first, state=state))


async def test_an_id_token_with_another_nonce_is_refused(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        back = await name_account(browser, changed(await set_out(browser), nonce="n" * 20), "ana")
        assert "does not belong to this attempt" in await refused(browser, back)


async def test_two_tabs_can_sign_in_at_once(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        first, second = [await set_out(browser, f"/who/{tenant}") for tenant in ("contoso", "fabrikam")]
        for there, page in ((second, "/who/fabrikam"), (first, "/who/contoso")):
            answer = await browser.get(await name_account(browser, there, "ana"))
            assert (303, page) == (answer.status_code, answer.headers["location"])


async def test_attempts_that_are_left_do_not_pile_up(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        for _ in range(20):
            await set_out(browser)
        assert 10 > len([name for name in browser.cookies if "sign-in" in name])
        assert 303 == (await sign_in(browser, "ana")).status_code


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example", "/\\evil.example", "https://evil.example", "https:evil.example", "%2F%2Fevil.example",
        "/%2F/evil.example", "/%5Cevil.example", "/%252F%252Fevil.example", "/\tevil.example", "/%09/evil.example",
        "javascript:alert(1)", "evil.example", "", "/auth/login", "/%61uth/logout", "/api/v1/tenants", "/ä",
    ],
)  # fmt: skip
async def test_signing_in_leads_to_pages_of_the_portal_alone(portal: SignInPortal, next_page: str) -> None:
    async with portal.browser() as browser:
        for there in (f"/auth/login?next={quote(next_page)}", f"/auth/login?next={next_page}".replace("\t", "%09")):
            answer = await sign_in(browser, "ana", there)
            assert (303, "/") == (answer.status_code, answer.headers["location"]), there


async def test_a_session_that_was_tampered_with_is_none(portal: SignInPortal) -> None:
    async with portal.signed_in("tom") as browser:
        sealed = browser.cookies[SESSION]
        payload, _, signature = sealed.rpartition(".")
        for wrong in (f"{payload[:-2]}AA.{signature}", f"{payload}.{signature[::-1]}", payload, ".", "x" * 5_000):
            assert 401 == await status_with(browser, wrong)
        assert 200 == await status_with(browser, sealed)


async def status_with(browser: httpx.AsyncClient, session: str) -> int:
    browser.cookies.clear()
    browser.cookies.set(SESSION, session, domain="portal.example")
    return (await browser.get(COUNT)).status_code


async def test_a_session_of_another_key_or_of_before_is_none(portal: SignInPortal) -> None:
    later, before = utc_now() + timedelta(minutes=30), utc_now() - timedelta(seconds=1)
    async with portal.browser() as browser:
        assert 200 == await status_with(browser, sealed_session(later))
        assert 401 == await status_with(browser, sealed_session(before))
        assert 401 == await status_with(browser, sealed_session(later, key="another key of thirty-two characters"))


async def test_signing_in_again_ends_the_session_of_before(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as browser:
        before = browser.cookies[SESSION]
        assert 303 == (await sign_in(browser, "ana")).status_code
        now = browser.cookies[SESSION]
        assert [401, 200] == [await status_with(browser, sealed) for sealed in (before, now)]


async def test_whose_tenants_no_cookie_holds_is_told_so_instead_of_asked_without_end(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        answer = await sign_in(browser, "max")
        assert (400, False) == (answer.status_code, SESSION in browser.cookies)
        assert "names 300 tenants, more than a session holds" in answer.text


async def test_signing_out_ends_the_session_here_and_at_the_provider(
    portal: SignInPortal, provider: OidcProvider
) -> None:
    async with portal.signed_in("ana") as browser:
        sealed = browser.cookies[SESSION]
        answer = await browser.post("/auth/logout", headers={"Origin": PUBLIC})
        assert (200, False) == (answer.status_code, SESSION in browser.cookies)
        onward = answer.headers["refresh"].removeprefix("0; url=")
        assert onward.startswith(provider.issuer)
        action, fields = form_of(await browser.get(onward))
        left = await browser.post(action, data=fields | {"logout": "yes"})
        assert f"{PUBLIC}/auth/signed-out" == left.headers["location"].partition("?")[0]
        assert "You are signed out" in (await browser.get(left.headers["location"])).text
        form = await browser.get(await set_out(browser), follow_redirects=True)
        assert "account" in form.text, "the provider asks again who it is"
        assert 401 == await status_with(browser, sealed), "a copy of the cookie is worth nothing"


async def test_signing_out_takes_more_than_a_link(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as browser:
        assert 405 == (await browser.get("/auth/logout")).status_code
        assert 403 == (await browser.post("/auth/logout", headers={"Origin": "https://evil.example"})).status_code
        assert SESSION in browser.cookies


async def test_a_provider_that_is_away_is_told_in_words(folder: Path) -> None:
    with running_provider(folder, PUBLIC) as gone:
        pass
    with running_portal(folder, gone) as portal:
        async with portal.browser() as browser:
            answer = await browser.get("/auth/login")
    assert 503 == answer.status_code
    assert "The identity provider cannot be reached now" in answer.text


async def test_nothing_of_a_sign_in_is_in_the_log(portal: SignInPortal) -> None:
    async with portal.browser() as browser:
        back = await came_back(browser, "tia")
        assert 303 == (await browser.get(back)).status_code
        secrets = [browser.cookies[SESSION], *parse_qs(urlsplit(back).query)["code"], state_of(back), KEY]
    log = portal.log.read_text("utf-8")
    assert "signed_in" in log
    assert [] == [text for text in [*secrets, "tia@contoso.example"] if text in log]
