"""The process of a worker: signals, the database, the probe, and the consumer's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from shared.agreement.cel.failures import FAILURES
from shared.agreement.condition_failures import FailureLog
from shared.clock import utc_now
from shared.db.session import engine_for, sessions_on
from shared.http import probes
from shared.http.probes import Probes
from shared.kafka import config
from shared.messaging.consumer import Subscription, Tick, consume
from shared.process.lifecycle import collect_rarely, stop_on_signals
from shared.process.settings import Settings

BATCH = 2_000
BATCH_TIMEOUT_MS = 20_000
"""A transaction that takes longer is ended, so that a worker that was stopped in one holds no locks any longer."""


def work(
    group: str,
    subscriptions: Sequence[Subscription[Any]],
    *,
    settings: Settings,
    tick: Tick | None = None,
    limit: int = BATCH,
) -> None:
    """Consume until a signal asks to stop, at most `limit` records in a transaction; `tick` is as in `consume`."""
    stop = stop_on_signals()
    collect_rarely()
    engine = engine_for(settings.database_url, transaction_timeout_ms=BATCH_TIMEOUT_MS)
    sessions = sessions_on(engine)
    probe = Probes()
    checks = {"database": probes.database_check(sessions)}
    probe.start(settings.probe_port, checks, host=settings.probe_host)

    failures = FailureLog(group, FAILURES)

    def beat(session: Session, now: datetime) -> bool | None:
        probe.beat()
        failures.save(session, now)
        return None if tick is None else tick(session, now)

    consume(
        group,
        subscriptions,
        config=replace(config.of(settings), max_poll_records=limit),
        sessions=sessions,
        time_source=utc_now,
        stop=stop,
        member=settings.worker_name,
        tick=beat,
    )
    engine.dispose()
