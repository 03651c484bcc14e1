"""Every refusal is a problem document (RFC 9457)."""

import httpx
import pytest
from fastapi import FastAPI

from portal import problems
from portal.pagination import Limit
from portal.problems import Problem


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/things")
    async def things(limit: Limit = 1) -> int:
        return limit

    @app.post("/things")
    async def make(body: dict[str, int]) -> int:
        return len(body)

    @app.get("/gone")
    async def gone() -> None:
        raise Problem(412, "somebody was first: read it again", revision=7)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("secret detail")

    return app


async def ask(app: FastAPI, method: str, path: str, **options: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]  # content alone is passed


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/nothing", 404, "nothing is at /nothing"),
        ("GET", "/api/v1/tenants/a/b/licenses", 404, "a tenant id is 1 to 64 of a-z 0-9 . _ - and has no slash"),
        ("DELETE", "/things", 405, "/things does not take DELETE: use"),
        ("GET", "/things?limit=0", 422, "limit: Input should be greater than or equal to 1"),
        ("GET", "/things?limit=many", 422, "limit: Input should be a valid integer"),
        ("GET", "/gone", 412, "somebody was first: read it again"),
        ("GET", "/broken", 500, "its log has the reason"),
    ],
)
async def test_an_error_is_a_problem_document(app: FastAPI, method: str, path: str, status: int, said: str) -> None:
    answer = await ask(app, method, path)
    body = answer.json()
    assert (status, status) == (answer.status_code, body["status"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in body["detail"]
    assert body["title"]
    assert path.partition("?")[0] == body["instance"]


async def test_a_problem_carries_its_members(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/gone")).json()["revision"] == 7


async def test_an_unexpected_failure_tells_nothing_of_itself(app: FastAPI) -> None:
    assert "secret" not in (await ask(app, "GET", "/broken")).text
