"""The process that publishes the outbox."""

from __future__ import annotations

from functools import partial

from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.http import probes
from shared.kafka import config
from shared.kafka.producer import Producer
from shared.messaging import relay as engine
from shared.messaging.lag import measure
from shared.process import logs
from shared.process.lifecycle import collect_rarely, stop_on_signals
from shared.process.periodic import run_periodically
from shared.process.settings import Settings


def relay(settings: Settings) -> None:
    """Publish the outbox until SIGTERM. A second relay stands by until the first has ended."""
    logs.configure(settings.log_level, service="relay")
    stop = stop_on_signals()
    kafka = config.of(settings)
    sessions = sessions_on(engine_for(settings.database_url))
    producer = Producer(kafka)
    checks = {"database": probes.database_check(sessions), "kafka": producer.check}
    probes.Probes().start(settings.probe_port, checks, host=settings.probe_host)
    run_periodically("gauges of the backlog", partial(measure, sessions, kafka, utc_now), stop)
    collect_rarely()
    try:
        engine.relay(sessions, producer, config=kafka, stop=stop, time_source=utc_now)
    finally:
        producer.close()
