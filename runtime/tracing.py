"""Owns that traces leave a process for a collector of OpenTelemetry, where the settings name one."""

import contextlib
from collections.abc import Iterator
from importlib.metadata import version

from runtime.settings import Tracing
from schemas import traces

_EXPORT_S = 5.0


@contextlib.contextmanager
def traced(own: Tracing, role: str) -> Iterator[None]:
    """Make spans and send them until left; nothing without an endpoint. Spans that nobody takes are dropped."""
    if own.endpoint is None:
        yield
        return
    # Only now: whoever does not trace need not load it.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {
        "service.name": f"poolwatch-{role}",
        "service.namespace": "poolwatch",
        "service.version": version("poolwatch"),
    }
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{own.endpoint}/v1/traces", timeout=_EXPORT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    traces.begin(provider.get_tracer("poolwatch"))
    try:
        yield
    finally:
        traces.begin(None)
        provider.shutdown()
