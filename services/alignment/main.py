"""Wiring of alignment's processes: the API, and the worker that reads what the other services announce."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import Any

from fastapi import FastAPI

from services.alignment.api import router
from services.alignment.counting import count_stale_days
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.handlers.capacity import on_capacity_planned
from services.alignment.handlers.daily import announce_outcomes
from services.alignment.handlers.handoffs import on_handoffs_changed
from services.alignment.handlers.known import on_leads_known
from services.alignment.handlers.promises import on_sla_changed
from services.alignment.handlers.qualifications import on_leads_qualified
from services.alignment.handlers.touches import on_leads_touched
from shared.agreement.store import Policies
from shared.clock import TimeSource, utc_now
from shared.contracts.topics import (
    ALIGNMENT,
    CAPACITY_PLANNED,
    HANDOFFS_CHANGED,
    LEADS_KNOWN,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    SLA_CHANGED,
)
from shared.db.session import Sessions, engine_for, sessions_on
from shared.http.app import create_app
from shared.http.server import serve
from shared.messaging.consumer import Subscription
from shared.messaging.worker import work
from shared.process import logs
from shared.process.periodic import run_periodically
from shared.process.settings import Settings

PORT = 8004
COUNT_EVERY_S = 1.0


def api(settings: Settings) -> None:
    """Serve the API until the process is asked to stop."""
    logs.configure(settings.log_level, service="alignment-api")
    engine = engine_for(settings.database_url, pool_size=10)
    app = build_api(sessions_on(engine), max_bytes=settings.max_request_bytes)
    serve(app, host=settings.host, port=settings.port or PORT)
    engine.dispose()


def build_api(
    sessions: Sessions,
    *,
    time_source: TimeSource = utc_now,
    max_bytes: int = 1_000_000,
) -> FastAPI:
    """The API; no connection is opened before it serves."""
    app = create_app(
        title="Leadbaton alignment",
        summary="What became of the leads that marketing handed to sales, counted for both teams.",
        sessions=sessions,
        time_source=time_source,
        max_bytes=max_bytes,
    )
    app.include_router(router(Policies(AlignmentPolicy)))
    return app


def worker(settings: Settings) -> None:
    """Read what scoring, routing and the SLA monitor announce until the process is asked to stop.

    Once a day it announces what became of campaigns' leads.
    """
    subscriptions: list[Subscription[Any]] = [
        Subscription(LEADS_KNOWN, on_leads_known),
        Subscription(LEADS_QUALIFIED, on_leads_qualified),
        Subscription(LEADS_TOUCHED, on_leads_touched),
        Subscription(HANDOFFS_CHANGED, on_handoffs_changed),
        Subscription(SLA_CHANGED, on_sla_changed),
        Subscription(CAPACITY_PLANNED, on_capacity_planned),
    ]
    stop = Event()
    engine = engine_for(settings.database_url)
    sessions = sessions_on(engine)
    counting = run_periodically(
        "counting of stale days",
        partial(count_stale_days, sessions, Policies(AlignmentPolicy), stop),
        stop,
        every_s=COUNT_EVERY_S,
    )
    try:
        work(ALIGNMENT, subscriptions, settings=settings, tick=announce_outcomes)
    finally:
        stop.set()
        counting.join()
        engine.dispose()
