"""No two transactions wait for each other: steps in which some once did, each until it waits for its next lock."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.routing.delivery import Dispatcher
from services.routing.delivery.dispatcher import claim
from services.routing.delivery.finished import FinishedAttempt
from services.routing.delivery.outcomes import save_outcomes
from services.routing.domain.answers import Actor, Answer
from services.routing.domain.attempts import Delivered, Response
from services.routing.domain.reassignment import Reassignment
from services.routing.domain.reroutes import MoveOutcome
from services.routing.handlers import Assigner, on_answer
from services.routing.handlers.assignment import assign_in_team
from services.routing.handlers.reroutes import advance_reroutes, confirm_reroute, plan_reroute
from services.routing.queries import teams
from services.routing.queries.deliveries import Attempt
from services.routing.queries.reroutes import progress_of
from services.routing.tables import handoffs
from shared.contracts.payloads import Change
from shared.db.session import Sessions
from shared.process.destinations import destinations
from tests.builders import NOON, lead_qualified
from tests.engine import until
from tests.services.routing.builders import (
    announced_changes,
    build_assigner,
    entry,
    importing,
    qualifying,
    vault,
)

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(minutes=1)
REFUSAL = Answer(Change.REJECTED, details={"reason": "no_capacity"})


@pytest.fixture
def assigner(sessions: Sessions) -> Assigner:
    """Grace holds two leads, and nobody else can have them."""
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"), lead_qualified(lead="bob"))
    return assigner


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def ids_in_order(sessions: Sessions) -> list[UUID]:
    with sessions() as session:
        return list(session.scalars(select(handoffs.c.id).order_by(handoffs.c.id)))


def refuse(session: Session, id: UUID, assigner: Assigner) -> None:
    actor = Actor("ops", "olga")
    on_answer(session, id, REFUSAL, actor=actor, assigner=assigner, now=LATER)


def until_waiting(sessions: Sessions, count: int) -> None:
    """Wait until so many transactions wait for locks."""
    statement = text("""
        select count(*) from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()
    """)

    def is_so() -> bool:
        with sessions() as session:
            return bool(session.scalar(statement) == count)

    until(is_so)


def test_a_reroute_and_an_assignment_do_not_wait_for_each_other(
    sessions: Sessions, assigner: Assigner, pool: ThreadPoolExecutor
) -> None:
    """A handoff of the re-route is refused meanwhile, so that the assignment wants it too."""
    command = Reassignment("ops/olga", "has left")
    with sessions.begin() as session:
        reroute = plan_reroute(session, "grace", command=command, assigner=assigner, now=NOON)
    with sessions.begin() as session:
        confirm_reroute(session, reroute.id, now=NOON)

    def assign() -> None:
        with sessions.begin() as session:
            teams.lock_teams(session, ["sales"])
            assign_in_team(session, "sales", (), assigner=assigner, now=LATER)

    def advance() -> None:
        with sessions.begin() as session:
            advance_reroutes(session, assigner=assigner, now=LATER)

    with sessions.begin() as session:
        refuse(session, ids_in_order(sessions)[0], assigner)
        assigning = pool.submit(assign)
        until_waiting(sessions, 1)
        advancing = pool.submit(advance)
        until_waiting(sessions, 2)
    assigning.result()
    advancing.result()

    with sessions() as session:
        outcomes = progress_of(session, reroute.id).outcomes
    assert outcomes == {MoveOutcome.SKIPPED: 1, MoveOutcome.WAITING: 1}


def test_a_reroute_leaves_a_handoff_that_is_being_answered_for_its_next_part(
    sessions: Sessions, assigner: Assigner
) -> None:
    with sessions.begin() as session:
        command = Reassignment("ops/olga", "has left")
        reroute = plan_reroute(session, "grace", command=command, assigner=assigner, now=NOON)
        confirm_reroute(session, reroute.id, now=NOON)
    [answered, _] = ids_in_order(sessions)

    def advance() -> int:
        with sessions.begin() as session:
            return advance_reroutes(session, assigner=assigner, now=LATER)

    with sessions.begin() as session:
        accepted = Answer(Change.ACCEPTED)
        actor = Actor("ops", "olga")
        on_answer(session, answered, accepted, actor=actor, assigner=assigner, now=LATER)
        assert [advance(), advance()] == [2, 1]
    assert [advance(), advance()] == [1, 0]

    with sessions() as session:
        assert progress_of(session, reroute.id).outcomes == {MoveOutcome.WAITING: 2}


def test_outcomes_of_webhooks_and_answers_do_not_wait_for_each_other(
    sessions: Sessions, assigner: Assigner, pool: ThreadPoolExecutor
) -> None:
    """One of the handoffs is refused meanwhile, so that the answer about the other one wants to assign it."""
    dispatcher = Dispatcher(sessions, vault(), destinations([]), lambda: LATER, lambda: 0.0)
    attempt = Attempt(1, LATER, 1.0, Response(204, ""), 0)
    ended = [FinishedAttempt(it, attempt, Delivered()) for it in claim(dispatcher, 9)]
    [first, second] = ids_in_order(sessions)

    def answer() -> None:
        with sessions.begin() as session:
            refuse(session, second, assigner)

    with sessions.begin() as session:
        refuse(session, first, assigner)
        answering = pool.submit(answer)
        until_waiting(sessions, 1)
        saving = pool.submit(save_outcomes, sessions, ended)
        until_waiting(sessions, 2)
    answering.result()
    saving.result()

    with sessions() as session:
        changes = [it for it, _ in announced_changes(session)]
    assert len(ended) == 2
    assert changes.count(Change.REJECTED) == 2
