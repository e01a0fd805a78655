"""The ingest API on a real database, with a broker that remembers what it was given or is away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from services.scoring.api import rejections
from services.scoring.ingest import DeclaredTraits, Limits, include_routes
from services.scoring.ingest.publishing import Publishing, RecordProducer
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import TimeSource
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topic import Outgoing, Record
from shared.contracts.topics import MARKETING_EVENTS
from shared.db.session import Sessions
from shared.errors import Unavailable
from shared.http.app import create_app

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Broker:
    """Takes records, unless it is away."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.refusals = 0
        self.known_away = False

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Take them, or refuse as often as was wished."""
        if self.refusals:
            self.refusals -= 1
            raise Unavailable("away")
        self.records.extend(records)

    def ready(self) -> bool:
        """Whether it seems to be there."""
        return not self.known_away

    @property
    def events(self) -> list[MarketingEvent]:
        """What it was given, decoded."""
        return [decoded(record) for record in self.records]

    @property
    def event(self) -> MarketingEvent:
        """The only one."""
        [event] = self.events
        return event


def decoded(record: Outgoing) -> MarketingEvent:
    """The payload of a record."""
    lying = Record(record.topic, 0, 0, record.key, record.value, record.headers)
    return MARKETING_EVENTS.decode(lying).payload


def api(
    sessions: Sessions,
    producer: RecordProducer,
    *,
    limits: Limits | None = None,
    time_source: TimeSource = lambda: NOON,
    declared_traits: DeclaredTraits | None = None,
) -> FastAPI:
    """The ingest API alone."""
    app = create_app(title="t", summary="s", sessions=sessions, time_source=time_source)
    publishing = Publishing(producer, sessions, keeps_log=True)
    include_routes(app, publishing, limits or Limits(), declared_traits)
    app.include_router(rejections.router, prefix="/v1")
    return app


@pytest.fixture
def broker() -> Broker:
    """A broker that is there."""
    return Broker()


@pytest.fixture
def key(sessions: Sessions) -> str:
    """A key of the source `site`, also for pages of https://site.example."""
    with sessions.begin() as session:
        return create_key(
            session,
            scope=KeyScope.INGEST,
            subject="site",
            now=NOON,
            origins=["https://site.example"],
        )


@pytest.fixture
def ops(sessions: Sessions) -> dict[str, str]:
    """Headers of somebody who may read rejections."""
    with sessions.begin() as session:
        key = create_key(session, scope=KeyScope.OPS, subject="olga", now=NOON)
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def client(sessions: Sessions, broker: Broker, key: str) -> Iterator[TestClient]:
    """Sends with the key."""
    with TestClient(api(sessions, broker), headers={"authorization": f"Bearer {key}"}) as client:
        yield client
