"""Re-routes that ended long ago are deleted with their handoffs' plan; those that run or can be confirmed stay."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.routing.delivery.old_reroutes import DELETE_BATCH, KEPT_FOR, delete_old_reroutes
from services.routing.domain.reassignment import Reassignment
from services.routing.handlers import Assigner
from services.routing.handlers.reroutes import (
    advance_reroutes,
    cancel_reroute,
    confirm_reroute,
    plan_reroute,
)
from services.routing.queries.reroutes import delete_reroutes_before, find_reroute, moves_of
from shared.db.session import Sessions
from tests.builders import NOON, lead_qualified
from tests.plans import rows_read, scans, settle
from tests.services.routing.builders import build_assigner, entry, importing, qualifying

pytestmark = pytest.mark.postgres

LATER = NOON + timedelta(days=1)
REPS = ("grace", "linus", "mara", "olga")


def planned(session: Session, assigner: Assigner, rep: str) -> UUID:
    """A plan for the rep, of noon."""
    command = Reassignment("ops/olga")
    return plan_reroute(session, rep, command=command, assigner=assigner, now=NOON).id


def held_by_each(session: Session) -> Assigner:
    """Each rep holds a handoff."""
    assigner = build_assigner(session)
    importing(session, *map(entry, REPS))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in REPS))
    return assigner


def test_what_ended_long_ago_is_deleted_and_what_runs_stays(sessions: Sessions) -> None:
    """Done a day after noon, cancelled at noon, planned at noon, running since noon."""
    with sessions.begin() as session:
        assigner = held_by_each(session)
        done, cancelled, plan, running = (planned(session, assigner, it) for it in REPS)
        confirm_reroute(session, done, now=NOON)
        assert advance_reroutes(session, assigner=assigner, now=LATER) == 1
        cancel_reroute(session, cancelled, now=NOON)
        confirm_reroute(session, running, now=NOON)

    def left(days: int) -> list[bool]:
        delete_old_reroutes(sessions, lambda: NOON + KEPT_FOR + timedelta(days=days, seconds=1))
        with sessions() as session:
            ids = (done, cancelled, plan, running)
            of_handoffs = [bool(moves_of(session, it, limit=9)) for it in ids]
            assert of_handoffs == [find_reroute(session, it) is not None for it in ids]
            return of_handoffs

    assert left(-1) == [True, True, True, True]
    assert left(0) == [True, False, False, True]
    assert left(2) == [False, False, False, True]


def test_many_are_deleted_in_several_transactions_by_an_index(sessions: Sessions) -> None:
    """The list of old ones reads no more than it deletes, however many are kept."""
    with sessions.begin() as session:
        session.execute(
            text(
                "insert into routing.reroutes (id, rep, actor, reason, state, planned_at, ended_at)"
                " select gen_random_uuid(), 'rep_' || n, 'ops/olga', 'x', 'done', at, at"
                " from generate_series(1, 5000) as n,"
                " lateral (select cast(:now as timestamptz) - n * interval '1 hour' as at) as due"
            ),
            {"now": NOON},
        )
    settle(sessions, "routing.reroutes")
    with sessions() as session:
        nodes = scans(
            session, lambda: delete_reroutes_before(session, NOON - KEPT_FOR, limit=DELETE_BATCH)
        )
    listed = [it for it in nodes if it.get("Index Name") == "ix_reroutes_planned_at"]
    assert [rows_read(it) for it in listed] == [DELETE_BATCH]

    delete_old_reroutes(sessions, lambda: NOON)

    with sessions() as session:
        oldest = session.scalar(text("select min(planned_at) from routing.reroutes"))
    assert oldest == NOON - KEPT_FOR
