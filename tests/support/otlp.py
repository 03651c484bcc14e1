"""A receiver of traces as OpenTelemetry's collector is one: OTLP over HTTP, spans kept in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.http_server import serving
from tests.support.ports import HOST


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was sent; ids in hexadecimal, `parent` empty for none."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    attributes: dict[str, Any]


class Receiver:
    """What was received. `endpoint`: where to send."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.spans: list[Span] = []

    def of(self, trace: str) -> list[Span]:
        """Return the spans of a trace."""
        return [span for span in list(self.spans) if span.trace == trace]

    def take(self, path: str, body: bytes) -> None:
        """Take a request."""
        assert path == "/v1/traces", path
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        about["service.name"], span.name,
                        span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                        tuple(link.trace_id.hex() for link in span.links),
                        {each.key: each.value.string_value or each.value.int_value for each in span.attributes},
                    )
                    for span in scope.spans
                ]  # fmt: skip


@contextmanager
def receiving_traces() -> Iterator[Receiver]:
    """Receive until left."""
    receiver: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
            """Say nothing."""

    with serving(Handler) as port:
        receiver = Receiver(f"http://{HOST}:{port}")
        yield receiver
