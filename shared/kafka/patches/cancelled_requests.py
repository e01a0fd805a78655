"""kafka-python 3.0.12: a clean stop is logged as an error, "Metadata refresh: failed Cancelled".

A client that is closed cancels its requests. Where one of them asks for metadata, `kafka.cluster` logs the cancellation
as an error; the consumer's fetcher, in the same case, logs it as information. The loggers of connections do so where
ClosingClient cancels a connection that is not made yet.
"""

from __future__ import annotations

import logging

from kafka.errors import Cancelled

cluster_log = logging.getLogger("kafka.cluster")
LOGS = (
    cluster_log,
    *map(logging.getLogger, ("kafka.net.manager", "kafka.net.connection", "kafka.net.transport")),
)


def drop_from_log() -> None:
    """Drop the lines about cancelled requests from now on; calling it again changes nothing."""
    for log in LOGS:
        log.addFilter(_no_cancellation)


def _no_cancellation(record: logging.LogRecord) -> bool:
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(isinstance(argument, Cancelled) for argument in arguments)
