"""Owns the trace of one partition: batches by what their records came with, and what is published by the batches it
stands for."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace as with_fields

from schemas import traces
from streams.protocol.effects import Append, Item, LogRecord, Publish

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

ENDS: Final = ("5-tallies", "7-publish")
"""Steps that stand for all batches since the last one: their traces go on there."""


class PartitionTrace:
    """The trace of one partition. It costs nothing unless tracing was begun."""

    def __init__(self, role: str, partition: int) -> None:
        self._role, self._partition = role, partition
        self._open: dict[tuple[int, int], SpanContext] = {}

    def batch(self, topic: str, records: Sequence[LogRecord]) -> AbstractContextManager[None]:
        """Open the span of a batch, if one of its records belongs to a trace."""
        causes = traces.causes_of(records)
        if not causes:
            return traces.NOTHING
        for cause in causes:
            self._open[cause.trace_id, cause.span_id] = cause
        attributes: dict[str, Any] = {"topic": topic, "partition": self._partition, "records": len(records)}
        return traces.span(f"{self._role} batch", "consumer", causes, attributes)

    def step(self, effect: Append | Publish) -> AbstractContextManager[None]:
        """Open the span of a step."""
        if not traces.is_on():
            return traces.NOTHING
        attributes: dict[str, Any] = {"partition": self._partition, "records": len(effect.items)}
        if effect.step in ENDS:
            causes, self._open = list(self._open.values()), {}
            if not causes:
                return traces.NOTHING
            return traces.span(f"{self._role} {effect.step}", "producer", causes, attributes)
        return (
            traces.span(f"{self._role} {effect.step}", "producer", (), attributes)
            if traces.current()
            else traces.NOTHING
        )

    @staticmethod
    def carried(items: Sequence[Item], step: str) -> Sequence[Item]:
        """Return what is written in a step; where others go on with the trace, they are told of it."""
        headers = traces.headers() if step == ENDS[0] else ()
        return [with_fields(item, headers=(*item.headers, *headers)) for item in items] if headers else items
