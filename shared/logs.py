"""Logs: one JSON object a line on stdout, constant event text, facts as fields, no personal data."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

QUIET = ("kafka", "httpx", "uvicorn", "alembic")
"""Libraries whose INFO says nothing to whoever runs Leadbaton."""
SILENT = ("kafka.net.selector", "kafka.coordinator.assignors")
"""One warns whenever a busy worker lets its network wait for 0.1 s: batches are worked on for longer than that. The
other when a group forms before its leader has heard of the topics: it hears of them at once, and the group forms anew.
"""


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
        structlog.processors.format_exc_info,
    ]


def _with_module(_logger: Any, _method: str, fields: EventDict) -> EventDict:
    """What `get` does for our own loggers, for those of libraries."""
    fields["module"] = fields["_record"].name
    return fields


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
