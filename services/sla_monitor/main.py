"""Wiring of the SLA monitor's processes: the API, the worker that reads handoffs, the sweep."""

from __future__ import annotations

import sys
from functools import partial
from threading import Event

from fastapi import FastAPI

from services.sla_monitor.api import router
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.gauges import set_gauges, set_open_clocks
from services.sla_monitor.handlers.applications import advance_application
from services.sla_monitor.handlers.excerpts import clock_excerpts
from services.sla_monitor.handlers.handoffs import on_handoffs_changed
from services.sla_monitor.recount import recount
from services.sla_monitor.sweep import remove_old_counts
from services.sla_monitor.sweep import sweep as sweep_until
from shared.agreement.store import Policies
from shared.clock import TimeSource, utc_now
from shared.contracts.topics import HANDOFFS_CHANGED, SLA, SLA_CHANGED
from shared.db.session import Sessions, engine_for, sessions_on
from shared.http import probes
from shared.http.app import create_app
from shared.http.probes import Probes
from shared.http.server import serve
from shared.kafka import config
from shared.messaging import health
from shared.messaging.consumer import Subscription
from shared.messaging.feed import Feed, FeedTopic
from shared.messaging.worker import work
from shared.process import logs
from shared.process.lifecycle import collect_rarely, stop_on_signals
from shared.process.periodic import run_periodically
from shared.process.settings import Settings

PORT = 8003
COUNT_EVERY_S = 300.0
APPLY_EVERY_S = 2.0
SWITCH_S = 0.0005
"""How long a thread may compute while another one waits, a tenth of Python's default.

The nightly recount computes in the process that fires clocks, which waits for it after each of ten statements. Half of
the clocks were flagged more than 74 ms late meanwhile with the default, and more than 30 to 47 ms with this.
"""


def api(settings: Settings) -> None:
    """Serve the API until the process is asked to stop."""
    logs.configure(settings.log_level, service="sla-api")
    engine = engine_for(settings.database_url, pool_size=10)
    sessions = sessions_on(engine)
    feed = Feed(
        [FeedTopic(SLA_CHANGED, clock_excerpts)], config=config.of(settings), sessions=sessions
    )
    app = build_api(sessions, max_bytes=settings.max_request_bytes)
    app.state.changes = feed
    serve(app, host=settings.host, port=settings.port or PORT)
    feed.close()
    engine.dispose()


def build_api(
    sessions: Sessions,
    *,
    time_source: TimeSource = utc_now,
    max_bytes: int = 1_000_000,
) -> FastAPI:
    """The API; no connection is opened before it serves."""
    app = create_app(
        title="Leadbaton SLA monitor",
        summary="Which promises about handoffs were kept, are at risk, were broken.",
        sessions=sessions,
        time_source=time_source,
        max_bytes=max_bytes,
    )
    app.include_router(router(Policies(SlaPolicy)))
    app.include_router(health.router)
    return app


def worker(settings: Settings) -> None:
    """Read changes of handoffs until the process is asked to stop."""
    policies = Policies(SlaPolicy)
    handle = partial(on_handoffs_changed, policies=policies)
    subscriptions = [Subscription(HANDOFFS_CHANGED, handle)]
    work(SLA, subscriptions, settings=settings, tick=policies.follow)


def sweep(settings: Settings) -> None:
    """Fire due clocks until the process is asked to stop."""
    logs.configure(settings.log_level, service="sla-sweep")
    stop = stop_on_signals()
    engine = engine_for(settings.database_url)
    probe = Probes()
    sessions = sessions_on(engine)
    checks = {"database": probes.database_check(sessions)}
    probe.start(settings.probe_port, checks, host=settings.probe_host)
    collect_rarely()
    sys.setswitchinterval(SWITCH_S)
    gauges = partial(set_gauges, sessions, utc_now)
    tasks = [
        run_periodically("gauges of clocks", gauges, stop),
        run_periodically(
            "count of open clocks", partial(set_open_clocks, sessions), stop, every_s=COUNT_EVERY_S
        ),
        run_periodically(
            "removal of old counts",
            partial(remove_old_counts, sessions, utc_now),
            stop,
            every_s=COUNT_EVERY_S,
        ),
    ]
    tasks.append(
        run_periodically(
            "nightly recount",
            partial(recount, sessions, utc_now, stop),
            stop,
            every_s=COUNT_EVERY_S,
        )
    )
    apply = partial(apply_agreement, sessions, Policies(SlaPolicy), utc_now, stop)
    tasks.append(run_periodically("agreement for clocks", apply, stop, every_s=APPLY_EVERY_S))
    sweep_until(engine, stop=stop, beat=probe.beat)
    for task in tasks:
        task.join()
    engine.dispose()


def apply_agreement(
    sessions: Sessions, policies: Policies[SlaPolicy], time_source: TimeSource, stop: Event
) -> None:
    """Go on with an application of the agreement to running clocks, batch by batch, until it is done or `stop`."""
    advanced = True
    while advanced and not stop.is_set():
        with sessions.begin() as session:
            advanced = advance_application(session, policies, time_source=time_source)
