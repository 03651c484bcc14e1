"""Whatever is asked of the API: no failure, and no answer but those that its document names (schemathesis).

Every operation is asked, also those that change something, with what its document allows and with what it does not;
half of the time of things that are there. The event stream never ends, so of its answers the head and the first bytes
are looked at, and the connection is closed; its refusals are held to the document as all others are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from runtime.portal_process import web_config
from tests.support.api_document import own_document
from tests.support.portal_world import START, World, served
from tests.support.vendor_example import ANA, HELD, TENANT, tell_vendor_example

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Kafka's client draws random numbers in another thread, and hypothesis takes them for those of a strategy.
    pytest.mark.filterwarnings("ignore:Do not use the `random` module"),
]

AnyCase = Case[Any]
Ask = Callable[[AnyCase, str], None]

SPARE = "spare"
EXAMPLES = 15
"""Of each kind for an operation: about a minute for all of them."""
CHECKS: list[Any] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portal(world: World) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """The address of a portal that really listens, and names of what is there."""
    await tell_vendor_example(world)
    await world.set(SPARE, START)
    refresh = (await world.http.post(f"/api/v1/tenants/{TENANT}/refresh")).json()["id"]
    wish = {"name": "probe", "role": "tenant_viewer", "tenants": [TENANT]}
    token = (await world.http.post("/api/v1/tokens", json=wish)).json()["id"]
    known = {"tenant": TENANT, "subject": ANA, "sync_id": HELD, "refresh_id": refresh, "token_id": token,
             "rule": "pool", "silence_id": "0123456789abcdef", "table": "tenant_settings"}  # fmt: skip
    async with served(web_config(world.services)) as address:
        yield address, known


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
@pytest.mark.parametrize("operation", sorted(own_document().places))
async def test_no_request_fails_or_is_answered_otherwise_than_documented(
    portal: tuple[str, dict[str, str]], operation: str, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.api.seats.AUDIT_PAUSE_S", 0.0)
    url, known = portal
    # What is removed is nobody else's.
    own = known | {"tenant": SPARE} if operation == "remove_tenant" else known
    # Nor does anybody store here what an erasure would clear first: it would wait for that, and say so.
    own = own | {"subject": "user:nobody"} if operation == "forget_subject" else own
    ask = _ask_stream if operation == "stream_counts" else _ask
    await asyncio.to_thread(_probe, url, operation, mode, own, ask)


def _probe(url: str, operation: str, mode: GenerationMode, known: dict[str, str], ask: Ask) -> None:
    method, path = own_document().places[operation]
    schema = schemathesis.openapi.from_dict(own_document().document)
    if mode is GenerationMode.NEGATIVE and not _takes_anything(operation):
        return

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=schema[path][method].as_strategy(generation_mode=mode), is_known=st.booleans())
    def probe(case: AnyCase, is_known: bool) -> None:
        if is_known:
            case.path_parameters = {name: known[name] for name in case.path_parameters}
        ask(case, url)

    probe()


def _takes_anything(operation: str) -> bool:
    described = own_document().operations[operation]
    return bool(described.get("parameters") or described.get("requestBody"))


def _ask(case: AnyCase, url: str) -> None:
    case.call_and_validate(base_url=url, checks=CHECKS)


def _ask_stream(case: AnyCase, url: str) -> None:
    with requests.request(**case.as_transport_kwargs(base_url=url), stream=True, timeout=10) as response:
        if response.status_code == 200:
            assert response.headers["content-type"].startswith("text/event-stream")
            assert next(response.iter_content(1)) == b":"
        else:
            case.validate_response(response, checks=CHECKS)
