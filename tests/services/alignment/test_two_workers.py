"""Two workers read news of the same handoffs at once: nothing is lost or doubled, also where PostgreSQL ends one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from services.alignment.domain.facts import HandoffFacts
from services.alignment.handlers.handoffs import on_handoffs_changed
from services.alignment.handlers.promises import on_sla_changed
from services.alignment.handlers.qualifications import on_leads_qualified
from services.alignment.handlers.touches import on_leads_touched
from services.alignment.tables import changes, handoffs, promises, touches
from shared.contracts.payloads import Change, HandoffChanged, LeadQualified, SlaChanged
from shared.contracts.topic import Message, Record, Topic
from shared.contracts.topics import (
    ALIGNMENT,
    HANDOFFS_CHANGED,
    LEADS_QUALIFIED,
    LEADS_TOUCHED,
    SLA_CHANGED,
)
from shared.contracts.touches import LeadTouched
from shared.db.outages import OUTAGES, is_outage
from shared.db.session import Sessions
from shared.messaging.batch import BatchRunner, Subscription, TopicBatch, decode_records
from tests.builders import NOON, an_id, outgoing
from tests.engine import PATIENCE_S
from tests.seeds import random_of
from tests.services.alignment.builders import News, qualified, read, step
from tests.services.alignment.folding import all_facts, check_reports, count_all
from tests.services.alignment.histories import random_stories

pytestmark = pytest.mark.postgres

SUBSCRIPTIONS: dict[type[News], Subscription[Any]] = {
    LeadQualified: Subscription(LEADS_QUALIFIED, on_leads_qualified),
    LeadTouched: Subscription(LEADS_TOUCHED, on_leads_touched),
    HandoffChanged: Subscription(HANDOFFS_CHANGED, on_handoffs_changed),
    SlaChanged: Subscription(SLA_CHANGED, on_sla_changed),
}


def topic_batch(subscription: Subscription[Any], news: Sequence[News]) -> TopicBatch:
    """The news as a batch of one topic."""
    return TopicBatch(
        subscription,
        decode_records(
            subscription, [_record(subscription.topic, it) for it in news], an_id("log")
        ),
    )


def _record(topic: Topic[Any], payload: News) -> Record:
    sent = outgoing(topic, payload, id="1")
    return Record(topic.name, 0, 0, sent.key, sent.value, sent.headers)


def run(sessions: Sessions, batches: Sequence[TopicBatch]) -> int:
    """Run the batch until it is committed, as the consumer does after an outage; how many attempts it took."""
    runner = BatchRunner(ALIGNMENT, sessions, lambda: NOON)
    for attempt in range(1, 100):
        try:
            assert runner.run(batches, []) == []
        except OUTAGES as outage:
            if not is_outage(outage):
                raise
        else:
            return attempt
    raise AssertionError("the batch is never committed")


def test_a_deadlock_of_two_workers_ends_one_batch_which_is_read_again(sessions: Sessions) -> None:
    """Each holds the lead of which it has read the qualification, and waits for the other's."""
    both_hold_a_lead = Barrier(2)

    def work(lead: str, other_lead: str) -> int:
        barriers = [both_hold_a_lead]

        def on_qualified(
            session: Session, messages: Sequence[Message[LeadQualified]], now: datetime
        ) -> None:
            on_leads_qualified(session, messages, now)
            if barriers:
                barriers.pop().wait(PATIENCE_S)

        first = topic_batch(Subscription(LEADS_QUALIFIED, on_qualified), [qualified(lead)])
        change = step(Change.ASSIGNED, lead=other_lead)
        second = topic_batch(SUBSCRIPTIONS[HandoffChanged], [change])
        return run(sessions, [first, second])

    with ThreadPoolExecutor(2) as pool:
        attempts = list(pool.map(work, ["ada", "linus"], ["linus", "ada"]))

    assert sorted(attempts) == [1, 2]
    with sessions.begin() as session:
        assert [(it.is_announced, it.rep) for it in all_facts(session)] == [(True, "grace")] * 2
        check_reports(session)
        assert count_all(session) > 0
        check_reports(session)


@pytest.mark.parametrize("seed", range(2))
def test_what_two_workers_read_at_once_is_what_one_reads(sessions: Sessions, seed: int) -> None:
    chance = random_of(seed)
    news = [it for story in random_stories(chance, 25, f"{seed}") for it in story.news]
    news += chance.sample(news, len(news) // 4)
    workers: tuple[list[News], list[News]] = ([], [])
    for payload in news:
        workers[(len(type(payload).__name__) + payload.lead_id.int) % 2].append(payload)

    def work(own: list[News]) -> None:
        for first in range(0, len(own), 40):
            batch = own[first : first + 40]
            topics = {kind: [it for it in batch if type(it) is kind] for kind in SUBSCRIPTIONS}
            run(
                sessions, [topic_batch(SUBSCRIPTIONS[it], own) for it, own in topics.items() if own]
            )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, workers))

    with sessions.begin() as session:
        check_reports(session)
        together = sorted(all_facts(session), key=_key)
        count_all(session)
        check_reports(session)
    with sessions() as session:
        for table in (changes, handoffs, promises, touches):
            session.execute(delete(table))
        read(session, *news)
        assert sorted(all_facts(session), key=_key) == together
        session.rollback()


def _key(facts: HandoffFacts) -> tuple[UUID, int]:
    return facts.lead_id, facts.qualification
