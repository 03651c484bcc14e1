"""The trace of a partition: whose child a batch is, what it is linked to, where it goes on, and what it costs."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from schemas import traces
from streams.protocol.effects import Item, LogRecord, Publish
from streams.trace import PartitionTrace

TALLIES = Publish("5-tallies", "tallies", 0, [Item(b"acme/0", b"{}", (("a", b"b"),))])


def record(*headers: tuple[str, bytes]) -> LogRecord:
    return cast(LogRecord, SimpleNamespace(headers=headers))


def sent(trace: int, flags: str = "01") -> LogRecord:
    return record(("other", b"x"), (traces.HEADER, f"00-{trace:032x}-{trace:016x}-{flags}".encode()))


@pytest.fixture
def made() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.begin(provider.get_tracer("test"))
    yield exporter
    traces.begin(None)


def spans(made: InMemorySpanExporter) -> dict[str, Any]:
    finished: tuple[ReadableSpan, ...] = made.get_finished_spans()
    return {span.name: span for span in finished}


def test_without_tracing_no_header_is_looked_at_and_nothing_is_copied() -> None:
    trace = PartitionTrace("meter", 3)
    blind = cast(LogRecord, object())  # has no headers to look at
    assert traces.NOTHING is trace.batch("assignments", [blind])
    assert traces.NOTHING is trace.step(TALLIES)
    assert TALLIES.items is trace.carried(TALLIES.items, TALLIES.step)
    assert () == traces.headers()


def test_a_batch_of_one_trace_is_its_child_and_what_is_published_carries_it_on(made: InMemorySpanExporter) -> None:
    trace = PartitionTrace("meter", 3)
    with trace.batch("assignments", [sent(7), sent(7), record()]):
        pass
    with trace.step(TALLIES):
        (item,) = trace.carried(TALLIES.items, TALLIES.step)
    batch, step = spans(made)["meter batch"], spans(made)["meter 5-tallies"]
    assert (7, 7) == (batch.context.trace_id, batch.parent.span_id)
    assert {"topic": "assignments", "partition": 3, "records": 3} == dict(batch.attributes)
    assert (7, ()) == (step.context.trace_id, step.links)
    header = f"00-{7:032x}-{step.context.span_id:016x}-01".encode()
    assert (("a", b"b"), (traces.HEADER, header)) == item.headers


def test_a_batch_of_several_traces_is_linked_to_each_once(made: InMemorySpanExporter) -> None:
    with PartitionTrace("meter", 3).batch("assignments", [sent(7), sent(8), sent(7)]):
        pass
    batch = spans(made)["meter batch"]
    assert batch.parent is None
    assert [7, 8] == [link.context.trace_id for link in batch.links]


def test_what_stands_for_several_batches_is_linked_to_all_of_them_and_to_none_twice(
    made: InMemorySpanExporter,
) -> None:
    trace = PartitionTrace("meter", 3)
    for number in (7, 8):
        with trace.batch("assignments", [sent(number)]):
            pass
    with trace.step(TALLIES):
        pass
    assert [7, 8] == [link.context.trace_id for link in spans(made)["meter 5-tallies"].links]
    made.clear()
    assert traces.NOTHING is trace.step(TALLIES)


def test_a_step_within_a_batch_is_its_child(made: InMemorySpanExporter) -> None:
    trace = PartitionTrace("meter", 3)
    with trace.batch("assignments", [sent(7)]), trace.step(Publish("3-tell", "seat-changes", 3, [])):
        pass
    assert spans(made)["meter batch"].context.span_id == spans(made)["meter 3-tell"].parent.span_id


def test_a_record_outside_of_a_trace_or_not_to_be_recorded_begins_none(made: InMemorySpanExporter) -> None:
    nonsense = record((traces.HEADER, b"\xff nonsense"))
    with PartitionTrace("meter", 3).batch("assignments", [record(), sent(7, "00"), nonsense]):
        assert traces.current() is None
    assert {} == spans(made)


def test_no_more_links_than_a_span_has(made: InMemorySpanExporter) -> None:
    with PartitionTrace("meter", 3).batch("assignments", [sent(number) for number in range(1, 1_000)]):
        pass
    assert traces.MOST_LINKS == len(spans(made)["meter batch"].links)


def test_what_goes_wrong_within_a_span_is_not_told_in_words(made: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Elif"), traces.span("errand"):
        raise ValueError("the number of Elif")
    assert "Elif" not in spans(made)["errand"].to_json()
