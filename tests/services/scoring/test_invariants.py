"""Invariants 2 and 3 on a real database: any order, batches, duplicates, merges, and two workers at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.scoring.domain.identities import names_person
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import leads
from services.scoring.tables import events as ledger
from services.scoring.tables import leads as stored_leads
from shared.agreement.model import Agreement
from shared.agreement.store import Policies
from shared.contracts.payloads import MarketingEvent
from shared.contracts.topics import LEADS_KNOWN, LEADS_MERGED
from shared.db.session import Sessions
from tests.builders import NOON, agreement, marketing_event
from tests.seeds import random_of
from tests.services.scoring import oracle
from tests.services.scoring.conftest import Worker, payloads_in_outbox

pytestmark = pytest.mark.postgres

AGREEMENT: Agreement = agreement(scoring=oracle.SCORING)


def identity_fields(person: int) -> list[dict[str, Any]]:
    """The identifiers that events of a person may have."""
    email, user, visitor = f"p{person}@example.com", f"u{person}", f"a{person}"
    return [
        {"email": email},
        {"email": None, "user_id": user},
        {"email": None, "anonymous_id": visitor},
        {"email": None, "anonymous_id": f"b{person}"},
        {"email": None, "phone": f"+49{person}"},
    ]


def links(person: int) -> list[MarketingEvent]:
    """Events that link all identifiers of a person."""
    who = identity_fields(person)
    return [marketing_event("other", **{**who[at], **who[0]}) for at in range(1, 5)]


def histories(person: int) -> st.SearchStrategy[list[MarketingEvent]]:
    """A person's events, each with one identifier, and the links between these."""
    event = st.sampled_from(identity_fields(person)).flatmap(lambda who: oracle.happenings(**who))
    return st.lists(event, max_size=8).map(lambda events: [*events, *links(person)])


def batches(events: Sequence[MarketingEvent], random: Random) -> list[list[MarketingEvent]]:
    """The events in any order with some sent twice, in batches of any size."""
    sent = [*events, *random.choices(events, k=len(events) // 3)]
    random.shuffle(sent)
    cuts = sorted(random.sample(range(1, len(sent)), min(5, len(sent) - 1)))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def check(session: Session, people: Sequence[Sequence[MarketingEvent]]) -> None:
    """Each person is one lead, with the score of all of their events at once."""
    policy = Policies(ScoringPolicy).current(session)
    for person, events in enumerate(people):
        keys = [f"email/p{person}@example.com", f"anonymous/website/a{person}"]
        keys += [f"user/website/u{person}", f"anonymous/website/b{person}", f"phone/+49{person}"]
        [lead_id] = set(leads.owners(session, keys).values())
        lead = leads.find_lead(session, lead_id)
        assert lead is not None
        expected = oracle.engagement(events, policy.agreement.scoring, NOON)
        assert lead.profile.engagement(policy, NOON).value == pytest.approx(expected, abs=1e-9)
        assert lead.fit == oracle.fit(events, policy.agreement)
        in_ledger = session.scalar(
            select(func.count()).select_from(ledger).where(ledger.c.lead_id == lead_id)
        )
        assert in_ledger == len(events)
        check_known(session, lead_id, events, policy)
    assert len(leads.leads_after(session, None, limit=100)) == len(people)
    merged_into = select(stored_leads.c.id, stored_leads.c.merged_into)
    gone = dict(session.execute(merged_into.where(stored_leads.c.merged_into.is_not(None))).all())
    merges = payloads_in_outbox(session, LEADS_MERGED)
    assert len(merges) == len(gone)
    assert {it.merged_lead_id for it in merges} == gone.keys()
    assert known_ids(session).isdisjoint(gone)
    stays = {it.merged_lead_id: it.lead_id for it in merges}
    assert leads.surviving_leads(session, gone).items() >= {
        (goes, last_of(stays, goes)) for goes in gone
    }


def check_known(
    session: Session, lead_id: UUID, events: Sequence[MarketingEvent], policy: ScoringPolicy
) -> None:
    """The last announcement of the lead has what all of its events give at once."""
    announced = [it for it in payloads_in_outbox(session, LEADS_KNOWN) if it.lead_id == lead_id]
    last = max(announced, key=lambda it: it.sequence)
    known_at = min(it.time for it in events if names_person(it))
    active = [it.time for it in events if policy.is_activity(it)]
    touches = [it for it in events if it.time <= known_at and policy.origin_of(it) is not None]
    assert last.known_at == known_at
    assert last.engaged_at == (max(known_at, min(active)) if active else None)
    assert (last.source, last.campaign) == ("website", None)
    assert last.channel == ("direct" if touches else None)


def known_ids(session: Session) -> set[UUID]:
    """The leads that are known by their last announcement, and not merged into others."""
    last = {
        it.lead_id: it
        for it in sorted(payloads_in_outbox(session, LEADS_KNOWN), key=lambda it: it.sequence)
    }
    return {lead_id for lead_id, it in last.items() if it.merged_into is None}


def last_of(stays: Mapping[UUID, UUID], lead_id: UUID) -> UUID:
    """The lead that stays after all merges of this one."""
    while lead_id in stays:
        lead_id = stays[lead_id]
    return lead_id


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.tuples(histories(0), histories(1)), st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_order_batches_duplicates_or_joins(
    session: Session, people: tuple[list[MarketingEvent], ...], random: Random
) -> None:
    with session.begin_nested() as undone:
        worker = Worker(session)
        worker.publish(scoring=oracle.SCORING)
        for batch in batches([event for events in people for event in events], random):
            worker.take(*batch)

        check(session, people)
        undone.rollback()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("same", [True, False], ids=["same-events", "different-events"])
def test_two_workers_at_once_equal_one(sessions: Sessions, seed: int, *, same: bool) -> None:
    random = random_of(seed)
    people = [[*events_of(person, random), *links(person)] for person in range(12)]
    sent = [event for events in people for event in events]
    with sessions.begin() as session:
        Worker(session).publish(scoring=oracle.SCORING)
    start = Barrier(2)

    def work(sent_events: Sequence[MarketingEvent], own: Random) -> None:
        for batch in batches(sent_events, own):
            start.wait(timeout=30)
            with sessions.begin() as session:
                Worker(session).take(*batch)

    random.shuffle(sent)
    with ThreadPoolExecutor(2) as pool:
        half = len(sent) // 2
        shares = [sent, sent] if same else [sent[:half], sent[half:]]
        futures = [pool.submit(work, it, random_of(random.getrandbits(32))) for it in shares]
        for future in futures:
            future.result(timeout=60)

    with sessions.begin() as session:
        check(session, people)


def events_of(person: int, random: Random) -> list[MarketingEvent]:
    """Ten events of a person, each with one of the identifiers."""
    types = ["page_viewed", "downloaded", "trial_started"]
    return [
        marketing_event(random.choice(types), **random.choice(identity_fields(person)))
        for _ in range(10)
    ]
