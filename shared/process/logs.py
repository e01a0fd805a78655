"""Logging: one JSON object a line on stdout, with a constant event text and fields, without personal data."""

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

QUIET = ("kafka", "httpx", "httpcore", "uvicorn", "alembic")
"""Libraries of which only warnings and errors are logged."""
SILENT = ("kafka.net.selector", "kafka.coordinator.assignors")
"""Libraries of which only errors are logged. The first warns when a worker does not read from the network for 0.1 s,
which every batch takes. The second warns when a group forms before its leader has the metadata of the topics; the group
then forms again.
"""

MAX_CHAIN = 10
"""The most errors of a chain of causes in one traceback."""


def configure(level: str, *, service: str) -> None:
    """Log everything of this process, libraries included, to stdout as JSON; each line has the field `service`."""
    number = logging.getLevelNamesMapping()[level.upper()]
    processors = _processors(service)
    structlog.configure(
        processors=[*processors, _json],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=False,
    )
    _route_libraries(number, processors)
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda it: _log_uncaught(it.exc_type, it.exc_value, it.exc_traceback)


def warn_on_stderr() -> None:
    """Log warnings and errors to stderr and nothing else; commands write their results to stdout."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _log_uncaught(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    """Log an uncaught error; Python itself would print its text, which may hold personal data."""
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
    """Add the module to a line of a library, and keep only the first line of a text beside a traceback."""
    fields["module"] = fields["_record"].name
    if fields["_record"].exc_info:
        fields["event"] = fields["event"].partition("\n")[0]
    return fields


def _traceback(exc_info: ExcInfo) -> str:
    """The traceback with the classes and codes of the errors; their texts may hold personal data."""
    parts: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(parts) < MAX_CHAIN:
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
