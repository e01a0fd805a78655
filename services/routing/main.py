"""Wiring of routing's processes: the API, the worker that assigns leads, the delivery of webhooks."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from ssrfguard import Policy

from services.routing.api import KEYLESS_PATHS, answer_pages, router
from services.routing.api.webhooks import describe_webhooks
from services.routing.delivery import Dispatcher, check_vault, deliver, release_claims
from services.routing.delivery.endpoint_tests import EndpointTester
from services.routing.delivery.fallbacks import LOOK_EVERY_S, notify_due_fallbacks
from services.routing.delivery.gauges import set_gauges
from services.routing.delivery.links import MessageLinks
from services.routing.delivery.old_reroutes import DELETE_EVERY_S, delete_old_reroutes
from services.routing.domain.answer_links import PATH, PURPOSE
from services.routing.handlers import (
    Assigner,
    CapacityPlanner,
    handoff_excerpts,
    on_campaigns_counted,
    on_leads_merged,
    on_leads_qualified,
    on_sla_changed,
    tick,
)
from services.routing.queries.deliveries import CHANNEL
from shared.agreement.store import Agreements
from shared.auth.derived_keys import derived_keys
from shared.auth.vault import Vault
from shared.clock import TimeSource, utc_now
from shared.contracts.topics import (
    CAMPAIGNS_COUNTED,
    HANDOFFS_CHANGED,
    LEADS_MERGED,
    LEADS_QUALIFIED,
    ROUTING,
    SLA_CHANGED,
)
from shared.db.listener import call_on_notification
from shared.db.session import Sessions, engine_for, sessions_on
from shared.http import probes
from shared.http.app import create_app
from shared.http.probes import Probes
from shared.http.server import serve
from shared.kafka import config
from shared.messaging.consumer import Subscription
from shared.messaging.feed import Feed, FeedTopic
from shared.messaging.worker import work
from shared.process import logs
from shared.process.destinations import destinations
from shared.process.lifecycle import stop_on_signals
from shared.process.periodic import run_periodically
from shared.process.settings import Settings

PORT = 8002


def api(settings: Settings) -> None:
    """Serve the API until the process is asked to stop."""
    logs.configure(settings.log_level, service="routing-api")
    engine = engine_for(settings.database_url, pool_size=10)
    sessions = sessions_on(engine)
    feed = Feed(
        [FeedTopic(HANDOFFS_CHANGED, handoff_excerpts)],
        config=config.of(settings),
        sessions=sessions,
    )
    app = build_api(
        sessions,
        public_url=settings.public_url,
        max_bytes=settings.max_request_bytes,
        secret_key=settings.secret_key,
        destination_policy=destinations(settings.allow_networks, ports=settings.ports()),
    )
    app.state.changes = feed
    serve(app, host=settings.host, port=settings.port or PORT)
    feed.close()
    engine.dispose()


def build_api(
    sessions: Sessions,
    *,
    time_source: TimeSource = utc_now,
    public_url: str = f"http://127.0.0.1:{PORT}",
    max_bytes: int = 1_000_000,
    secret_key: SecretStr | None = None,
    destination_policy: Policy | None = None,
) -> FastAPI:
    """The API. It opens nothing before it serves. Without a secret key no endpoint gets a new secret or a test.

    Tests of endpoints go where `destination_policy` allows, by default to public addresses.
    """
    app = create_app(
        title="Leadbaton routing",
        summary="Which rep got which lead and why, the answers of reps, and the webhooks.",
        sessions=sessions,
        time_source=time_source,
        max_bytes=max_bytes,
    )
    app.state.keyless_paths.update((*KEYLESS_PATHS, PATH))
    policy = destination_policy or destinations(())
    tester = EndpointTester(sessions, secret_key, policy, time_source)
    assigner = Assigner(public_url)
    app.include_router(router(assigner, secret_key, tester, policy))
    app.include_router(
        answer_pages.router(assigner, derived_keys(secret_key, PURPOSE), public_url=public_url)
    )
    describe_webhooks(app.webhooks)
    return app


def worker(settings: Settings) -> None:
    """Assign leads, and announce what teams can take, until the process is asked to stop."""
    assigner = Assigner(settings.public_url)
    planner = CapacityPlanner(assigner.policies, assigner.rosters)

    def announce_or_tick(session: Session, now: datetime) -> bool:
        return planner.announce(session, now) or tick(session, now, assigner=assigner)

    work(
        ROUTING,
        [
            # merges first: they take a lock exclusively that the others share
            Subscription(LEADS_MERGED, partial(on_leads_merged, assigner=assigner)),
            Subscription(LEADS_QUALIFIED, partial(on_leads_qualified, assigner=assigner)),
            Subscription(SLA_CHANGED, partial(on_sla_changed, assigner=assigner)),
            Subscription(CAMPAIGNS_COUNTED, on_campaigns_counted),
        ],
        settings=settings,
        tick=announce_or_tick,
    )


def delivery(settings: Settings) -> None:
    """Deliver notifications until the process is asked to stop."""
    logs.configure(settings.log_level, service="routing-delivery")
    stop = stop_on_signals()
    engine = engine_for(settings.database_url, pool_size=10)
    dispatcher = Dispatcher(
        sessions=sessions_on(engine),
        vault=Vault(settings.secret_key),
        destination_policy=destinations(settings.allow_networks, ports=settings.ports()),
        time_source=utc_now,
        chance=random.random,
        links=MessageLinks.of(settings.public_url, settings.console_url, settings.secret_key),
        name=settings.worker_name,
    )
    check_vault(dispatcher)
    release_claims(dispatcher)
    probe = Probes()
    checks = {"database": probes.database_check(dispatcher.sessions)}
    probe.start(settings.probe_port, checks, host=settings.probe_host)
    run_periodically(
        "gauges of routing",
        partial(set_gauges, dispatcher.sessions, dispatcher.time_source, Agreements()),
        stop,
    )
    run_periodically(
        "deletion of old re-routes",
        partial(delete_old_reroutes, dispatcher.sessions, dispatcher.time_source),
        stop,
        every_s=DELETE_EVERY_S,
    )
    run_periodically(
        "fallbacks of deliveries",
        partial(notify_due_fallbacks, dispatcher.sessions, dispatcher.time_source),
        stop,
        every_s=LOOK_EVERY_S,
    )
    asyncio.run(run_delivery(dispatcher, engine, stop=stop, probe=probe))
    engine.dispose()


async def run_delivery(
    dispatcher: Dispatcher, engine: Engine, *, stop: threading.Event, probe: Probes
) -> None:
    """Run the delivery and the thread that listens for new deliveries; an error of either stops both and is raised."""
    wake_event, loop = asyncio.Event(), asyncio.get_running_loop()
    wake = partial(loop.call_soon_threadsafe, wake_event.set)
    with ThreadPoolExecutor(1, thread_name_prefix="listening") as pool:
        listening = loop.run_in_executor(pool, call_on_notification, engine, CHANNEL, wake, stop)
        listening.add_done_callback(lambda _: stop.set())
        listening.add_done_callback(lambda _: wake_event.set())
        try:
            await deliver(dispatcher, stop=stop, wake_event=wake_event, beat=probe.beat)
        finally:
            stop.set()
            await listening
