"""Owns the fake's HTTP: bytes in and out, damaged ones too, on a free loopback port in a thread of its own."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.support.graph.answers import Answer
from tests.support.graph.fake import FakeGraph
from tests.support.graph.faults import Damage
from tests.support.ports import HOST
from tests.support.waiting import eventually


@contextmanager
def served_graph() -> Iterator[FakeGraph]:
    """Serve a fake Graph, at its `url`, until left; it works beside any event loop, and without one."""
    listener = socket.create_server((HOST, 0))
    graph = FakeGraph(f"http://{HOST}:{listener.getsockname()[1]}")
    server = uvicorn.Server(_config(graph))
    thread = threading.Thread(target=asyncio.run, args=(_serve(graph, server, listener),), name="fake-graph")
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        yield graph
    finally:
        server.should_exit = True
        thread.join(timeout=15)
        listener.close()
    assert not thread.is_alive(), "the fake Graph does not end"


def _config(graph: FakeGraph) -> uvicorn.Config:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer, damage = await _answered(graph, request)
        headers = _headers(graph, answer, request)
        await _send(send, answer, headers, damage)

    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


async def _serve(graph: FakeGraph, server: uvicorn.Server, listener: socket.socket) -> None:
    async with graph.notifier.running():
        await server.serve(sockets=[listener])


async def _answered(graph: FakeGraph, request: Request) -> tuple[Answer, Damage | None]:
    raw, headers = await request.body(), dict(request.headers)
    body: Any = None
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        body = dict(parse_qsl(raw.decode()))
    elif raw:
        body = msgspec.json.decode(raw)
    return await graph.answer(request.method, str(request.scope["path"]), dict(request.query_params), headers, body)


def _headers(graph: FakeGraph, answer: Answer, request: Request) -> dict[str, str]:
    headers = dict(answer.headers) | {"Date": formatdate(time.time() + graph.faults.clock_skew_s, usegmt=True)}
    if answer.body is not None:
        headers["Content-Type"] = "application/json;odata.metadata=minimal;charset=utf-8"
    if client_id := request.headers.get("client-request-id"):
        headers["client-request-id"] = client_id
    return headers


async def _send(send: Send, answer: Answer, headers: dict[str, str], damage: Damage | None) -> None:
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    given = body[: len(body) // 2] if damage else body
    headers["Content-Length"] = str(len(given if damage == "broken_json" else body))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    # More is promised and never comes: the server closes the connection.
    await send({"type": "http.response.body", "body": given, "more_body": damage == "cut"})
