"""Leads that turn out to be one person keep one live handoff, in whatever order the messages come."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.routing.domain.answers import Actor, Answer
from services.routing.domain.handoff import State, handoff_id
from services.routing.handlers import Assigner, on_answer, on_leads_merged
from services.routing.queries import handoffs
from services.routing.tables import deliveries, merged_leads
from shared.contracts.payloads import Change, LeadsMerged
from tests.builders import NOON, an_id, lead_qualified, leads_merged, merged_message
from tests.services.routing.builders import (
    announced,
    announced_changes,
    build_assigner,
    count_by_state,
    entry,
    importing,
    qualifying,
)

pytestmark = pytest.mark.postgres

ADA, VISITOR = handoff_id(an_id("ada"), 1), handoff_id(an_id("visitor"), 1)
LATER = NOON + timedelta(minutes=5)
MERGE = leads_merged(goes="visitor")


def merging(session: Session, assigner: Assigner, *merges: LeadsMerged) -> None:
    on_leads_merged(session, [merged_message(it) for it in merges], LATER, assigner=assigner)


def accepting(session: Session, assigner: Assigner, lead: str, rep: str) -> None:
    actor, id = Actor("rep", rep), handoff_id(an_id(lead), 1)
    on_answer(session, id, Answer(Change.ACCEPTED), actor=actor, assigner=assigner, now=NOON)


def withdrawals(session: Session) -> list[tuple[str, dict[str, object]]]:
    statement = select(deliveries.c.endpoint, deliveries.c.body)
    rows = session.execute(statement.where(deliveries.c.type == "handoff.withdrawn"))
    return [(row.endpoint, orjson.loads(row.body)["data"]["withdrawn"]) for row in rows]


def test_the_handoff_stays_that_a_rep_accepted_and_the_other_rep_is_notified(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in ("ada", "visitor")))
    holders = {
        it.lead_id: it.rep for it in handoffs.handoffs_by_id(session, [ADA, VISITOR]).values()
    }
    kept, lost = holders[an_id("visitor")], holders[an_id("ada")]
    accepting(session, assigner, "visitor", str(kept))

    for _ in range(2):  # the second time is a redelivery
        merging(session, assigner, MERGE)

    ended = handoffs.find_handoff(session, ADA)
    assert ended is not None
    assert (ended.state, ended.merged_into, ended.rep) == (State.MERGED, VISITOR, None)
    assert count_by_state(session) == {State.ACCEPTED: 1, State.MERGED: 1}
    last = announced(session)[-1]
    assert (last.change, last.reason, last.handoff_id) == (Change.RETURNED, "merged", ADA)
    assert withdrawals(session) == [
        (
            f"rep/{lost}",
            {
                "reason": "merged",
                "actor": "leadbaton",
                "handoff_id": str(VISITOR),
                "state": "accepted",
                "team": "sales",
                "rep": kept,
            },
        )
    ]
    assigned = select(deliveries).where(deliveries.c.type == "handoff.assigned")
    states = {row.handoff_id: row.state for row in session.execute(assigned)}
    assert states == {ADA: "cancelled", VISITOR: "pending"}


def test_a_merge_gives_back_the_share_and_the_room_of_the_rep(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 2}))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in ("ada", "visitor", "alan")))
    assert count_by_state(session) == {State.ASSIGNED: 2, State.WAITING: 1}

    merging(session, assigner, MERGE, leads_merged(goes="alan"))

    assert count_by_state(session) == {State.ASSIGNED: 1, State.MERGED: 2}
    qualifying(session, assigner, lead_qualified(lead="tim"), now=LATER)
    assert announced_changes(session)[-1] == ("assigned", "grace")


def test_a_waiting_handoff_ends_without_a_notification(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace", capacity={"open": 1}))
    qualifying(session, assigner, *(lead_qualified(lead=it) for it in ("ada", "visitor")))

    merging(session, assigner, MERGE)

    assert count_by_state(session) == {State.ASSIGNED: 1, State.MERGED: 1}
    assert withdrawals(session) == []


def test_a_qualification_that_comes_after_the_merge_finds_the_live_handoff(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified(lead="ada"))
    merging(session, assigner, MERGE)

    qualifying(session, assigner, lead_qualified(lead="visitor"), now=LATER)

    late = handoffs.find_handoff(session, VISITOR)
    assert late is not None
    assert (late.state, late.merged_into) == (State.MERGED, ADA)


def test_a_chain_of_merges_in_the_wrong_order_is_one_person(session: Session) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    merging(session, assigner, leads_merged(stays="ada", goes="phone"))
    merging(session, assigner, leads_merged(stays="phone", goes="visitor"))

    for lead in ("visitor", "ada", "phone"):
        qualifying(session, assigner, lead_qualified(lead=lead))

    assert count_by_state(session) == {State.ASSIGNED: 1, State.MERGED: 2}
    survivors = session.scalars(select(merged_leads.c.survivor)).all()
    assert survivors == [an_id("ada")] * 2


def test_a_closed_handoff_of_a_merged_lead_makes_its_rep_the_previous_one(
    session: Session,
) -> None:
    assigner = build_assigner(session)
    importing(session, entry("grace"), entry("linus"))
    qualifying(session, assigner, lead_qualified(lead="visitor"))
    winner = handoffs.handoffs_by_id(session, [VISITOR])[VISITOR].rep
    on_answer(
        session,
        VISITOR,
        Answer(Change.WON),
        actor=Actor("ops", "olga"),
        assigner=assigner,
        now=NOON,
    )
    merging(session, assigner, MERGE)

    qualifying(session, assigner, lead_qualified(lead="ada", qualification=2), now=LATER)

    assert announced_changes(session)[-1] == ("assigned", winner)


def test_a_merge_of_a_lead_that_never_qualified_is_not_recorded(session: Session) -> None:
    merging(session, build_assigner(session), leads_merged(goes="visitor", qualifications=0))

    assert session.scalars(select(merged_leads.c.lead_id)).all() == []
