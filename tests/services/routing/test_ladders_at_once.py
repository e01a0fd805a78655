"""An answer and a step of a ladder at the same moment: whichever commits first wins, and neither waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select

from services.routing.domain.answers import Actor, Answer, HandoffMoved
from services.routing.handlers import Assigner, on_answer, on_sla_changed, tick
from services.routing.tables import escalations, handoffs
from shared.contracts.payloads import Change, ClockChange
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified, sla_changed, sla_message
from tests.seeds import random_of
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(minutes=1)
REPS = ("grace", "linus", "edsger")
ACCEPTANCE = Answer(Change.ACCEPTED)


@pytest.fixture
def assigner(sessions: Sessions) -> Assigner:
    """Three reps hold 60 leads."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, *map(entry, REPS))
        qualifying(session, assigner, *(lead_qualified(lead=f"lead-{it}") for it in range(60)))
    return assigner


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def announce(sessions: Sessions, assigner: Assigner, *ids: UUID) -> None:
    """Let a step arrive that takes each of these handoffs from its first rep."""
    with sessions.begin() as session:
        rows = session.execute(select(handoffs).where(handoffs.c.id.in_(ids))).all()
        steps = [
            sla_changed(ClockChange.ESCALATED, handoff_id=it.id, rep=it.rep, hop=1, step="reassign")
            for it in rows
        ]
        messages = list(map(sla_message, steps))
        random_of(7).shuffle(messages)
        on_sla_changed(session, messages, LATER, assigner=assigner)


def accept(sessions: Sessions, assigner: Assigner, id: UUID) -> bool:
    """Whether the acceptance of the first rep was in time."""
    try:
        with sessions.begin() as session:
            answer = Answer(Change.ACCEPTED, hop=1)
            actor = Actor("ops", "olga")
            on_answer(session, id, answer, actor=actor, assigner=assigner, now=LATER)
    except HandoffMoved:
        return False
    return True


def work(sessions: Sessions, assigner: Assigner) -> None:
    with sessions.begin() as session:
        tick(session, LATER, assigner=assigner)


def test_a_step_leaves_alone_what_is_being_answered(sessions: Sessions, assigner: Assigner) -> None:
    """The answer has locked its handoff and is not committed: the step neither waits for it nor overtakes it."""
    with sessions() as session:
        [id, *_] = session.scalars(select(handoffs.c.id).order_by(handoffs.c.id))
    announce(sessions, assigner, id)

    with sessions.begin() as session:
        actor = Actor("ops", "olga")
        on_answer(session, id, ACCEPTANCE, actor=actor, assigner=assigner, now=LATER)
        work(sessions, assigner)
        with sessions() as second_session:
            assert second_session.scalars(select(escalations.c.outcome)).one() is None
    work(sessions, assigner)

    with sessions() as session:
        assert session.scalars(select(escalations.c.outcome)).one() == "answered"
        state, hop = session.execute(
            select(handoffs.c.state, handoffs.c.hop).where(handoffs.c.id == id)
        ).one()
    assert (state, hop) == ("accepted", 1)


def test_of_an_acceptance_and_a_step_exactly_one_wins(
    sessions: Sessions, assigner: Assigner, pool: ThreadPoolExecutor
) -> None:
    with sessions() as session:
        ids = list(session.scalars(select(handoffs.c.id).order_by(handoffs.c.id)))

    announcing = [
        pool.submit(announce, sessions, assigner, *ids[start : start + 10])
        for start in (0, 10, 20, 30, 40, 50, 0, 30)
    ]
    answers = {id: pool.submit(accept, sessions, assigner, id) for id in reversed(ids)}
    ticks = [pool.submit(partial(work, sessions, assigner)) for _ in range(30)]
    for done in (*announcing, *ticks):
        done.result()
    in_time = {id for id, it in answers.items() if it.result()}
    for _ in range(3):
        work(sessions, assigner)

    with sessions() as session:
        outcomes = dict(
            session.execute(select(escalations.c.handoff_id, escalations.c.outcome)).all()
        )
        current = {row.id: row for row in session.execute(select(handoffs))}
        count = session.scalar(select(func.count()).select_from(escalations))
    assert count == len(ids) == len(outcomes)
    assert {id for id, it in outcomes.items() if it == "answered"} == in_time
    assert {id for id, it in outcomes.items() if it == "reassigned"} == set(ids) - in_time
    assert all(current[id].state == "accepted" and current[id].hop == 1 for id in in_time)
    assert all(
        current[id].state == "assigned" and current[id].hop == 2 for id in set(ids) - in_time
    )
