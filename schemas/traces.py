"""Owns how a trace goes along with records: W3C trace context in the header `traceparent`, and spans where somebody
asked for them. Unless tracing was begun nothing is looked at: what an event costs is what a meter can do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

HEADER: Final = "traceparent"
MOST_LINKS: Final = 128
"""Of a span, as OpenTelemetry has it by default."""

Kind = Literal["internal", "server", "producer", "consumer"]
Attributes = Mapping[str, str | int]
NOTHING: Final[AbstractContextManager[None]] = nullcontext()

_tracer: "Tracer | None" = None


class Headed(Protocol):
    """A record with headers."""

    headers: Any


def begin(tracer: "Tracer | None") -> None:
    """Make spans by a tracer from now on; by None, no more."""
    global _tracer  # noqa: PLW0603 -- one a process, as OpenTelemetry's own is
    _tracer = tracer


def is_on() -> bool:
    """Tell whether spans are made."""
    return _tracer is not None


def span(
    name: str, kind: Kind = "internal", causes: Sequence["SpanContext"] = (), attributes: Attributes | None = None
) -> AbstractContextManager[None]:
    """Open a span of the current one or, where there are `causes`, of these: it is the child of a single one, and is
    linked to each of several."""
    return NOTHING if _tracer is None else _span(_tracer, name, kind, causes, attributes)


@contextmanager
def _span(
    tracer: "Tracer", name: str, kind: Kind, causes: Sequence["SpanContext"], attributes: Attributes | None
) -> Iterator[None]:
    from opentelemetry import trace
    from opentelemetry.context import Context

    context, links = None, []
    if len(causes) == 1:
        context = trace.set_span_in_context(trace.NonRecordingSpan(causes[0]), Context())
    elif causes:
        context, links = Context(), [trace.Link(cause) for cause in causes[:MOST_LINKS]]
    # Of what goes wrong the type alone is told: an exception's text may hold anything.
    untold: Any = {"record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, context, trace.SpanKind[kind.upper()], attributes, links, **untold) as made:
        try:
            yield
        except BaseException as error:
            made.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def current() -> "SpanContext | None":
    """Return the context of the current span, None without one."""
    if _tracer is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return context if context.is_valid else None


def headers() -> tuple[tuple[str, bytes], ...]:
    """Return the headers by which a record goes on with the current trace."""
    return () if (context := current()) is None else ((HEADER, _written(context).encode()),)


def _written(context: "SpanContext") -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def causes_of(records: Iterable[Headed]) -> list["SpanContext"]:
    """Return the different contexts that records came with, at most as many as a span has links."""
    if _tracer is None:
        return []
    texts: dict[bytes, None] = {}
    for record in records:
        for name, value in record.headers:
            if name == HEADER:
                texts[value] = None
        if len(texts) >= MOST_LINKS:
            break
    contexts = (read(text.decode("ascii", "replace")) for text in texts)
    return [context for context in contexts if context is not None and context.trace_flags.sampled]


def read(traceparent: str) -> "SpanContext | None":
    """Return the context that a header means, None for one that is none."""
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found = TraceContextTextMapPropagator().extract({HEADER: traceparent})
    context = trace.get_current_span(found).get_span_context()
    return context if context.is_valid else None
