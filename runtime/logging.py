"""Owns how processes log: structlog events to standard error, JSON unless a terminal reads them."""

import io
import logging
import sys
from typing import TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from runtime.settings import Log

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Enduring(io.TextIOBase):
    """A stream that loses lines rather than raise: a full disk must not end what would wait until there is space."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return


def configure(log: Log) -> None:
    """Set up structlog and hand the standard library's records (Faust, aiokafka, uvicorn) through it."""
    level = _LEVELS[log.level]
    stream = cast(TextIO, _Enduring(sys.stderr))
    console = log.format == "console" or (log.format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*shared, *_ends(console)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_library(level, shared, console, stream)


def _ends(console: bool) -> list[structlog.typing.Processor]:
    """Return what turns an event into a line. Tracebacks go without the variables of their frames: those hold names,
    records and secrets."""
    if console:
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    tracebacks = ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]


def _adopt_standard_library(
    level: int, shared: list[structlog.typing.Processor], console: bool, stream: TextIO
) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_ends(console)],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries say at info what only their authors need.
    root.setLevel(max(level, logging.WARNING) if level >= logging.INFO else level)
