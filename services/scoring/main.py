"""Wiring of scoring's processes: the API that takes events, the worker that scores them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy.orm import Session

from services.scoring import ingest
from services.scoring.api import router
from services.scoring.domain.identities import EventMessage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import (
    RepeatCheck,
    announce_known_before,
    event_excerpts,
    on_handoffs_changed,
    on_marketing_events,
    qualification_excerpts,
    review_leads,
)
from services.scoring.ingest import DeclaredTraits, Limits, Publisher
from services.scoring.ingest.publishing import Publishing
from services.scoring.ingest.rejections import AgeLimit
from services.scoring.progress import Progress, progress_of
from services.scoring.recompute import Difference, compare_leads
from shared.agreement.store import Policies
from shared.clock import TimeSource, utc_now
from shared.contracts.topics import (
    HANDOFFS_CHANGED,
    LEADS_QUALIFIED,
    MARKETING_EVENTS,
    SCORING,
)
from shared.db.optimistic import Handler, retried_when_stale
from shared.db.session import Sessions, engine_for, sessions_on
from shared.http.app import Check, create_app
from shared.http.server import serve
from shared.kafka import config
from shared.kafka.producer import Producer
from shared.messaging.consumer import Subscription
from shared.messaging.feed import Feed, FeedLimits, FeedTopic
from shared.messaging.worker import work
from shared.process import logs
from shared.process.periodic import run_periodically
from shared.process.settings import Settings

PORT = 8001
DEFAULTS = Limits()
DELETE_EVERY_S = 60.0
READ_AGREEMENT_EVERY_S = 5.0
BATCH = 10_000
"""Most records in a transaction. Many at once cost less: a lead is assessed and saved once a batch."""
STREAMED = (
    FeedTopic(MARKETING_EVENTS, event_excerpts),
    FeedTopic(LEADS_QUALIFIED, qualification_excerpts),
)
STREAM_LIMITS = FeedLimits(records=100, pause_s=0.5, max_behind=200)
"""The stream of events hands on 200 a second at most, so that it takes little from the requests that bring them."""


def api(settings: Settings) -> None:
    """Serve the API until the process is asked to stop."""
    logs.configure(settings.log_level, service="scoring-api")
    engine = engine_for(settings.database_url, pool_size=10)
    sessions = sessions_on(engine)
    limit = AgeLimit(sessions, utc_now, timedelta(days=settings.rejections_max_age_days))
    declared_traits = DeclaredTraits(sessions)
    kafka = config.of(settings)
    producer = Producer(kafka)
    app = build_api(
        sessions,
        publisher=Publishing(producer, sessions, keeps_log=kafka.keeps_log),
        limits=Limits(
            request_bytes=settings.max_request_bytes,
            event_bytes=settings.max_event_bytes,
            events=settings.max_events,
            rate=settings.ingest_rate,
            burst=settings.ingest_burst,
        ),
        checks={"kafka": producer.check} if kafka.keeps_log else {},
        declared_traits=declared_traits,
    )
    feed = Feed(STREAMED, config=kafka, sessions=sessions, limits=STREAM_LIMITS)
    app.state.changes = feed
    stop = Event()
    run_periodically("age limit of rejections", limit.enforce, stop, every_s=DELETE_EVERY_S)
    run_periodically(
        "declared traits", declared_traits.refresh, stop, every_s=READ_AGREEMENT_EVERY_S
    )
    serve(app, host=settings.host, port=settings.port or PORT)
    stop.set()
    feed.close()
    producer.close()
    engine.dispose()


def build_api(
    sessions: Sessions,
    *,
    publisher: Publisher,
    limits: Limits = DEFAULTS,
    checks: Mapping[str, Check] = {},
    time_source: TimeSource = utc_now,
    declared_traits: DeclaredTraits | None = None,
) -> FastAPI:
    """The API; no connection is opened before it serves."""
    app = create_app(
        title="Leadbaton scoring",
        summary="Takes events; answers which lead they belong to and how it scores.",
        sessions=sessions,
        time_source=time_source,
        checks=checks,
        max_bytes=limits.request_bytes,
    )
    ingest.include_routes(app, publisher, limits, declared_traits)
    app.include_router(router(Policies(ScoringPolicy)))
    return app


def worker(settings: Settings) -> None:
    """Score events until the process is asked to stop."""
    policies = Policies(ScoringPolicy)
    work(
        SCORING,
        [
            Subscription(MARKETING_EVENTS, marketing_events_handler(policies, RepeatCheck())),
            Subscription(HANDOFFS_CHANGED, partial(on_handoffs_changed, policies=policies)),
        ],
        settings=settings,
        tick=partial(look_after_leads, policies=policies),
        limit=BATCH,
    )


def look_after_leads(session: Session, now: datetime, *, policies: Policies[ScoringPolicy]) -> bool:
    """What the worker does between batches; returns whether more may wait."""
    has_more = review_leads(session, now, policies=policies)
    return announce_known_before(session, now, policies=policies) or has_more


def marketing_events_handler(
    policies: Policies[ScoringPolicy], repeat_check: RepeatCheck
) -> Handler[EventMessage]:
    """The handler of marketing events, which is called again after it raised StaleRead."""
    return retried_when_stale(
        partial(on_marketing_events, policies=policies, repeat_check=repeat_check),
        on_stale=repeat_check.expect_repeats,
    )


def progress(settings: Settings) -> Progress:
    """How far leads have come to the newest agreement."""
    engine = engine_for(settings.database_url)
    with sessions_on(engine)() as session:
        result = progress_of(session, Policies(ScoringPolicy))
    engine.dispose()
    return result


def recompute(
    settings: Settings, lead_id: UUID | None = None
) -> Iterator[tuple[int, list[Difference]]]:
    """Compute one lead or all from the ledger; yields, for each page, how many leads and their differences."""
    engine = engine_for(settings.database_url)
    yield from compare_leads(
        sessions_on(engine), Policies(ScoringPolicy), utc_now(), lead_id=lead_id
    )
    engine.dispose()
