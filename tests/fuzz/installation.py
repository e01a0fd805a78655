"""An installation in one process: real handlers and APIs, a real database, a real receiver of webhooks, no broker.

Records of the outbox are passed to the batches of each consumer group, as a broker would deliver them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from services.routing.delivery import Dispatcher
from services.routing.handlers import Assigner, on_leads_qualified, on_sla_changed
from services.routing.main import build_api as routing_api
from services.routing.main import run_delivery
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.handlers import RepeatCheck, on_handoffs_changed
from services.scoring.ingest.publishing import Publishing
from services.scoring.main import build_api as scoring_api
from services.scoring.main import marketing_events_handler
from services.scoring.recompute import compare_leads
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.handlers.due_clocks import fire_due_clocks
from services.sla_monitor.handlers.handoffs import on_handoffs_changed as sla_follows
from services.sla_monitor.main import build_api as sla_api
from shared.agreement.store import Policies
from shared.auth.issuing import create_key
from shared.auth.keys import KeyScope
from shared.clock import utc_now
from shared.contracts.topic import Outgoing, Record, Sent
from shared.contracts.topics import (
    HANDOFFS_CHANGED,
    LEADS_QUALIFIED,
    MARKETING_EVENTS,
    ROUTING,
    SCORING,
    SLA,
    SLA_CHANGED,
)
from shared.db.session import sessions_on
from shared.http.probes import Probes
from shared.messaging import outbox
from shared.messaging.batch import BatchRunner, Subscription, TopicBatch, decode_records
from shared.messaging.dead_letters import DeadLetter
from tests.engine import until
from tests.services.routing.builders import entry, importing, publishing, vault
from tests.services.routing.delivery.post import LOOPBACK
from tests.services.routing.delivery.receiver import Receiver, Reply, receiving

LATER = timedelta(days=5)
"""After this time every promise about a handoff is broken that was not kept."""

SECTIONS: dict[str, Any] = {
    "traits": {
        "country": "string",
        "company_size": "number",
        "title": "string",
        "customer": "boolean",
        "tags": "list",
    },
    "scoring": {
        "fit": [
            {"id": "large", "when": "lead.company_size >= 200", "points": 40},
            {"id": "tagged", "when": '"vip" in lead.tags', "points": 20},
        ],
        "signals": [
            {"id": "page", "on": "page_viewed", "points": 5, "half_life": "7d", "daily_max": 15},
            {
                "id": "value",
                "on": "demo_requested",
                "when": 'event.properties.value > 5 || event.url.contains("x")',
                "points": 9,
                "half_life": "7d",
            },
            {
                "id": "nested",
                "on": "demo_requested",
                "when": 'event.context.page.title == "x" || event.properties["a"] == 7',
                "points": 3,
                "half_life": "never",
            },
        ],
    },
    "lead_card": {
        "questions": [
            {"field": "value", "label": "Value"},
            {"field": "a"},
            {"field": "title", "on": ["demo_requested"]},
            {"field": "page"},
        ],
        "topics": [{"id": "root", "paths": ["/", "/x/*"]}],
        "purchases": ["demo_requested"],
        "consent": {"trait": "customer", "withdrawn_by": ["page_viewed"]},
    },
    "routing": {
        "teams": [{"id": "sales", "calendar": "office"}],
        "rules": [
            {"id": "large", "when": "lead.company_size > 1000", "team": "sales"},
            {"id": "everybody", "when": True, "team": "sales"},
        ],
        "reject_reasons": [{"id": "no_capacity", "then": "reassign"}],
        "loss_reasons": ["price"],
    },
}


class AbsentBroker:
    """A broker that does not answer, so that every event goes to the outbox."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Do nothing: this is not called, since the broker is not ready."""

    def ready(self) -> bool:
        """The broker is never ready."""
        return False


class Installation:
    """An installation in one process, with clients of its APIs."""

    def __init__(self, engine: Engine, receiver: Receiver) -> None:
        self.engine, self.sessions = engine, sessions_on(engine)
        with self.sessions.begin() as session:
            publishing(session, **SECTIONS)
            importing(
                session,
                entry("grace", endpoint={"url": receiver.url("/grace")}),
                entry("eve", endpoint={"url": receiver.url("/gone")}),
                fallback=receiver.url("/team"),
                ops=receiver.url("/ops"),
                now=utc_now(),
            )
            self.keys = {
                scope: create_key(session, scope=scope, subject="site", now=utc_now())
                for scope in (KeyScope.INGEST, KeyScope.OPS)
            }
        publisher = Publishing(AbsentBroker(), self.sessions, keeps_log=False)
        self.scoring = self._client(scoring_api(self.sessions, publisher=publisher))
        self.routing = self._client(routing_api(self.sessions))
        self.sla = self._client(sla_api(self.sessions))
        self.policies = Policies(ScoringPolicy)
        self._groups = self._readers()
        self._offset = 0

    def post(self, path: str, body: bytes) -> Any:
        """Post these bytes with the key of a marketing platform."""
        key = self.keys[KeyScope.INGEST]
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return self.scoring.post(path, content=body, headers=headers)

    def pass_messages(self) -> list[DeadLetter]:
        """Pass the messages of the outbox to their consumers until it is empty; returns the dead letters."""
        dead_letters: list[DeadLetter] = []
        while rows := self._take_outbox():
            for group, subscriptions in self._groups.items():
                topic_batches = list(self._topic_batches(rows, subscriptions))
                dead_letters += BatchRunner(group, self.sessions, utc_now).run(topic_batches, ())
        return dead_letters

    def sweep(self) -> None:
        """Fire all clocks as if every promise had been due."""
        with self.sessions.begin() as session:
            while fire_due_clocks(session, now=utc_now() + LATER):
                pass

    def await_deliveries(self) -> None:
        """Wait until no delivery is pending."""
        until(lambda: not self._pending())

    def differences(self, lead_id: Any) -> list[Any]:
        """The differences between the stored lead and what its events give."""
        pages = compare_leads(self.sessions, self.policies, utc_now(), lead_id=lead_id)
        return [it for _, differences in pages for it in differences]

    def _client(self, app: FastAPI) -> TestClient:
        headers = {"authorization": f"Bearer {self.keys[KeyScope.OPS]}"}
        return TestClient(app, headers=headers, raise_server_exceptions=False)

    def _readers(self) -> Mapping[str, Sequence[Subscription[Any]]]:
        assigner = Assigner("http://127.0.0.1:8002")
        scores = marketing_events_handler(self.policies, RepeatCheck())
        return {
            SCORING: [
                Subscription(MARKETING_EVENTS, scores),
                Subscription(
                    HANDOFFS_CHANGED, partial(on_handoffs_changed, policies=self.policies)
                ),
            ],
            ROUTING: [
                Subscription(LEADS_QUALIFIED, partial(on_leads_qualified, assigner=assigner)),
                Subscription(SLA_CHANGED, partial(on_sla_changed, assigner=assigner)),
            ],
            SLA: [
                Subscription(HANDOFFS_CHANGED, partial(sla_follows, policies=Policies(SlaPolicy)))
            ],
        }

    def _take_outbox(self) -> list[Sent]:
        with self.sessions.begin() as session:
            rows = outbox.unpublished(session, limit=2_500)
            session.execute(
                text("delete from messaging.outbox where id = any(:ids)"),
                {"ids": [it.id for it in rows]},
            )
        return [it.record for it in rows]

    def _topic_batches(
        self, rows: Sequence[Sent], subscriptions: Sequence[Subscription[Any]]
    ) -> Iterator[TopicBatch]:
        for subscription in subscriptions:
            records = []
            for sent in rows:
                if sent.topic == subscription.topic.name:
                    self._offset += 1
                    records.append(
                        Record(sent.topic, 0, self._offset, sent.key, sent.value, sent.headers)
                    )
            if records:
                yield TopicBatch(subscription, decode_records(subscription, records, uuid4()))

    def _pending(self) -> bool:
        with self.sessions() as session:
            query = "select 1 from routing.deliveries where state = 'pending' limit 1"
            return session.execute(text(query)).first() is not None


@contextmanager
def running_installation(engine: Engine) -> Iterator[Installation]:
    """An installation that delivers webhooks: one rep's endpoint answers 204, the other's 410."""
    with receiving() as receiver:
        receiver.reply("/gone", Reply(410))
        installation = Installation(engine, receiver)
        stop = threading.Event()
        dispatcher = Dispatcher(installation.sessions, vault(), LOOPBACK, utc_now, lambda: 0.0)
        failed: list[BaseException] = []

        def deliver() -> None:
            try:
                asyncio.run(run_delivery(dispatcher, engine, stop=stop, probe=Probes()))
            except BaseException as error:
                failed.append(error)
                raise

        delivery = threading.Thread(target=deliver)
        delivery.start()
        try:
            yield installation
        finally:
            stop.set()
            delivery.join()
        assert failed == []
