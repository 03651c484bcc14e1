"""An open page listens to its own visitor, and to him as long as he is one."""

from tests.support.page_socket import page_socket
from tests.support.signing_in import PUBLIC, SignInPortal

PAGE = "/who/contoso"
SAYS = "Say who"


async def test_whoever_learns_the_id_of_a_page_cannot_open_its_socket(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as ana, portal.signed_in("tia") as tia:
        page = await ana.get(PAGE)
        async with page_socket(portal, tia, page) as others:
            await others.hear("Implicit handshake failed")
        async with page_socket(portal, ana, page) as own:
            await own.click(page, SAYS)
            await own.hear("still ana@msp.example")


async def test_nobody_acts_in_the_page_of_another(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as ana, portal.signed_in("tia") as tia:
        anas, tias = await ana.get(PAGE), await tia.get(PAGE)
        async with page_socket(portal, ana, anas) as of_ana, page_socket(portal, tia, tias) as of_tia:
            await of_tia.click(anas, SAYS)
            await of_tia.click(tias, SAYS)
            await of_tia.hear("still tia@contoso.example")
            await of_ana.click(anas, "Colours: auto")
            await of_ana.hear("poolwatch_theme=")
            assert "still ana@msp.example" not in of_ana.heard, "what came before has done nothing"
            await of_ana.click(anas, SAYS)
            await of_ana.hear("still ana@msp.example")


async def test_a_page_that_was_opened_by_a_token_ends_with_it(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as ana, portal.browser() as program:
        wanted = {"name": "pages", "role": "tenant_admin", "tenants": ["contoso"]}
        token = (await ana.post("/api/v1/tokens", json=wanted, headers={"Origin": PUBLIC})).json()
        program.headers["Authorization"] = f"Bearer {token['secret']}"
        page = await program.get(PAGE)
        async with page_socket(portal, program, page) as socket:
            await socket.click(page, SAYS)
            await socket.hear("still token:pages")
            answer = await ana.delete(f"/api/v1/tokens/{token['id']}", headers={"Origin": PUBLIC})
            assert 200 == answer.status_code
            await socket.hear("window.location.reload()")


async def test_a_page_does_not_go_on_in_another_session(portal: SignInPortal) -> None:
    async with portal.signed_in("ana") as before, portal.signed_in("ana") as again:
        page = await before.get(PAGE)
        async with page_socket(portal, again, page) as socket:
            await socket.hear("Implicit handshake failed")
