"""Who asks is found out before anything answers, and asked for anew where an answer goes on."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from portal.access.gate import Gate, Recognise, principal_of, still_known
from portal.access.principals import LOCAL, Principal
from portal.services import TokensUnreadable

VIEWER = Principal("v", "provider_viewer")


class Changing:
    """Recognises first this one, then that one."""

    def __init__(self, *answers: Principal | Exception | None) -> None:
        self._answers = iter(answers)

    async def __call__(self, _: HTTPConnection) -> Principal | None:
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def asked(recognise: Recognise) -> httpx.Response:
    async def endpoint(request: Request) -> JSONResponse:
        first = principal_of(request)
        return JSONResponse([first and first.name, await still_known(request)])

    app = Starlette(routes=[Route("/", endpoint)])
    app.add_middleware(Gate, recognise=recognise)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://portal") as http:
        return await http.get("/")


@pytest.mark.parametrize(
    ("then", "is_still_known"),
    [(VIEWER, True), (Principal("v", "provider_viewer"), True), (None, False), (LOCAL, False),
     (TokensUnreadable("away"), False)],
)  # fmt: skip
async def test_somebody_is_still_known_as_long_as_it_is_the_same_with_the_same_role(
    then: Any, is_still_known: bool
) -> None:
    assert ["v", is_still_known] == (await asked(Changing(VIEWER, then))).json()


async def test_nobody_is_let_in_while_it_is_not_known_who_asks() -> None:
    answer = await asked(Changing(TokensUnreadable("tokens cannot be read")))
    assert (503, "application/problem+json") == (answer.status_code, answer.headers["content-type"])
    assert ("tokens cannot be read", "5") == (answer.json()["detail"], answer.headers["Retry-After"])
