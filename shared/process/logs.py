"""Logs: one JSON object a line on stdout, constant event text, facts as fields, no personal data."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, ExcInfo, FilteringBoundLogger, Processor

from shared.errors import loggable

QUIET = ("kafka", "httpx", "uvicorn", "alembic")
"""Libraries whose INFO says nothing to whoever runs Leadbaton."""
SILENT = ("kafka.net.selector", "kafka.coordinator.assignors")
"""One warns whenever a busy worker lets its network wait for 0.1 s: batches are worked on for longer than that. The
other when a group forms before its leader has heard of the topics: it hears of them at once, and the group forms anew.
"""

CHAIN = 10
"""So many errors of those that led to one another are shown."""


def configure(level: str, *, service: str) -> None:
    """Send everything that this process logs, libraries too, to stdout as JSON; `service` is on each line."""
    number = logging.getLevelNamesMapping()[level.upper()]
    processors = _processors(service)
    structlog.configure(
        processors=[*processors, _json],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )
    _route_libraries(number, processors)
    sys.excepthook = _ended
    threading.excepthook = lambda it: _ended(it.exc_type, it.exc_value, it.exc_traceback)


def warn_on_stderr() -> None:
    """For commands, whose stdout is their result: what is wrong goes to stderr, all else is not logged."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _ended(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
    """What nobody caught; Python's own words would hold the text of the error."""
    get(__name__).critical("ended by an error", exc_info=error or kind())


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module."""
    logger: FilteringBoundLogger = structlog.get_logger(module=name)
    return logger


def _processors(service: str) -> list[Processor]:
    def with_service(_logger: Any, _method: str, fields: EventDict) -> EventDict:
        fields["service"] = service
        return fields

    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_service,
        structlog.processors.ExceptionRenderer(_traceback),
    ]


def _with_module(_logger: Any, _method: str, fields: EventDict) -> EventDict:
    """What `get` does for our own loggers, for those of libraries; beside a traceback the first line will do."""
    fields["module"] = fields["_record"].name
    if fields["_record"].exc_info:
        fields["event"] = fields["event"].partition("\n")[0]
    return fields


def _traceback(exc_info: ExcInfo) -> str:
    """The traceback with the errors' classes and codes: their texts hold values, and values are people's."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(parts) < CHAIN:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + loggable(error))
        if isinstance(error, BaseExceptionGroup):
            parts += [_traceback((type(it), it, it.__traceback__)) for it in error.exceptions]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\nfollowed by\n".join(reversed(parts))


def _json(_logger: Any, _method: str, fields: EventDict) -> bytes:
    return orjson.dumps(fields, default=str)


def _text(logger: Any, method: str, fields: EventDict) -> str:
    return _json(logger, method, fields).decode()


def _route_libraries(level: int, processors: list[Processor]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_module, *processors],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _text],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
